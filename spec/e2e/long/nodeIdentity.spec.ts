/** Nodes with certificates as real daemons: who is let in as whom, renewal while they run, and switching it on node by node. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ProcessCluster } from '../../../examples/demo/processCluster.js'
import { WazuhCertificates } from '../../support/certificates/wazuhCertificates.js'
import { clusterJson, master, repository, secondWorker, withCluster, worker } from '../../support/daemons.js'
import { isMissing } from '../../support/debianProgram.js'

const nodes = [master, worker, secondWorker]

/** Gives a node the certificate of `name`. */
const give = (cluster: ProcessCluster, node: string, certificates: WazuhCertificates, name: string, more = {}): void =>
  cluster.configure(node, { clusterJson: { ...clusterJson, tls: { ca: certificates.ca, ...certificates.issue(name), ...more } } })

/** Runs wazuh-certs-tool where its config.yml is. */
const certsTool = (directory: string, ...args: readonly string[]): void => {
  execFileSync(process.execPath, [join(repository, 'dist/cli/wazuh-certs-tool.js'), ...args], { cwd: directory, stdio: 'pipe' })
}

const serverOf = (name: string, at: number): string =>
  `    - name: ${name}\n      ip: "127.0.0.${at + 1}"\n      node_type: ${at === 0 ? 'master' : 'worker'}\n`

describe('certificates that wazuh-certs-tool made in the form of Wazuh', () => {
  it('make a cluster, and are renewed on it while it runs', () =>
    withCluster(nodes, async (cluster) => {
      writeFileSync(join(cluster.root, 'config.yml'), `nodes:\n  server:\n${nodes.map(serverOf).join('')}`)
      certsTool(cluster.root, '-A', '--compatible')
      const made = join(cluster.root, 'wazuh-certificates')
      for (const node of nodes) {
        const tls = { ca: join(made, 'root-ca.pem'), cert: join(made, `${node}.pem`), key: join(made, `${node}-key.pem`) }
        cluster.configure(node, { clusterJson: { ...clusterJson, tls } })
      }
      await cluster.startAll()
      certsTool(cluster.root, 'renew', ...nodes)
      for (const daemon of cluster.daemons) await daemon.logged('New certificates are in use for new connections.')
      const before = cluster.daemon(worker).mark()
      await cluster.daemon(master).stop()
      await cluster.start(master).logged('Serving on')
      await cluster.daemon(worker).logged('Successfully connected to master.', before)
    }))
})

describe.skipIf(isMissing('openssl', 'openssl'))('nodes with certificates', () => {
  it('form a cluster, refuse the certificate of another name, and take new ones without a restart', () =>
    withCluster(nodes, async (cluster) => {
      const certificates = new WazuhCertificates(join(cluster.root, 'certificates'))
      for (const node of [master, worker]) give(cluster, node, certificates, node)
      give(cluster, secondWorker, certificates, 'admin')
      await cluster.start(master).logged('Serving on')
      await cluster.start(worker).logged('Successfully connected to master.')
      const stranger = cluster.start(secondWorker)
      const says = `The certificate is for 'admin', not for a node named '${secondWorker}'`
      await stranger.logged(`Could not connect to master: ${says}. Trying again in`)
      await cluster.daemon(master).logged(`A connection from 127.0.0.1 was refused: ${says}.`)
      await stranger.stop()

      // A key without its certificate is half a renewal.
      const { ca, directory } = certificates
      const before = cluster.daemon(worker).mark()
      writeFileSync(join(directory, `${worker}-key.pem`), 'no key')
      await cluster.daemon(worker).logged('The new certificate files cannot be used; the previous ones stay in use', before)
      certificates.issue(worker, 20)
      await cluster.daemon(worker).logged('New certificates are in use for new connections.', before)
      await cluster.daemon(worker).logged('The certificate of this node ends in 19 days', before)
      cluster.configure(secondWorker, { clusterJson: { ...clusterJson, tls: { ca, ...certificates.issue(secondWorker) } } })
      await cluster.start(secondWorker).logged('Successfully connected to master.')
      expect(cluster.daemon(worker).lines.filter((line) => line.includes('Connecting again'))).toEqual([])
      const { out } = await cluster.control(secondWorker, ['-l'])
      for (const node of nodes) expect(out).toContain(node)
      const { out: more } = await cluster.control(worker, ['-i', 'more'])
      expect(more.match(/^ {8}Certificate: ends 20/gm)).toHaveLength(2)
    }))

  it('come in one by one while TLS is not required, and in words refuse who has none afterwards', () =>
    withCluster([master, worker], async (cluster) => {
      const certificates = new WazuhCertificates(join(cluster.root, 'certificates'))
      const restart = async (node: string, logged: string): Promise<void> => {
        await cluster.daemon(node).stop()
        await cluster.start(node).logged(logged)
      }
      const connected = 'Successfully connected to master.'
      await cluster.startAll()
      // The worker first, to a master without TLS; then the master, for both kinds.
      give(cluster, worker, certificates, worker, { require: false })
      await restart(worker, 'The master does not speak TLS: the connection is without it')
      give(cluster, master, certificates, master, { require: false })
      const before = cluster.daemon(worker).mark()
      await restart(master, 'Serving on')
      await cluster.daemon(worker).logged(connected, before)
      expect(
        cluster
          .daemon(worker)
          .lines.slice(before)
          .filter((line) => line.includes('does not speak TLS')),
      ).toEqual([])
      // Required now: a worker that lost its certificates is out, and one with them in.
      give(cluster, master, certificates, master)
      await restart(master, 'Serving on')
      cluster.configure(worker)
      await restart(worker, 'Could not connect to master: The peer takes nodes over TLS only')
      await cluster.daemon(master).logged('was refused: It did not come over TLS, which this node requires')
      give(cluster, worker, certificates, worker, { allow: [master] })
      await restart(worker, connected)
    }))

  it('that have an expired certificate, or one of another authority, are refused in words', () =>
    withCluster([master, worker, secondWorker], async (cluster) => {
      const certificates = new WazuhCertificates(join(cluster.root, 'certificates'))
      const foreign = new WazuhCertificates(join(cluster.root, 'foreign'))
      give(cluster, master, certificates, master)
      cluster.configure(worker, { clusterJson: { ...clusterJson, tls: { ca: certificates.ca, ...certificates.issue(worker, -1) } } })
      cluster.configure(secondWorker, { clusterJson: { ...clusterJson, tls: { ca: certificates.ca, ...foreign.issue(secondWorker) } } })
      const listening = cluster.start(master)
      await listening.logged('Serving on')
      const expired = cluster.start(worker)
      await expired.logged('The peer refused the certificate of this node: it has expired')
      await expired.logged('The certificate of this node has ended on')
      await listening.logged(`The certificate of the peer ('${worker}') has expired on`)
      await cluster.start(secondWorker).logged('it is not of an authority that the peer trusts')
      await listening.logged(`The certificate of the peer ('${secondWorker}') is not of an authority that is trusted here`)
    }))
})
