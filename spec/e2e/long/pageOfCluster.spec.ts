/** The page of a real cluster: a user is made, signs in at the master, and sees what happens. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, writeBelow } from '../../../examples/demo/nodeHome.js'
import type { ProcessCluster, Ran } from '../../../examples/demo/processCluster.js'
import { hasNoBrowser, openPage, says, screenshot, seen, signIn, startBrowser } from '../../support/api/browser.js'
import { master, repository, secondWorker, withCluster, worker } from '../../support/daemons.js'

const [user, password] = ['night-shift', 'correct horse battery']
const agentCount = 24

/** The master gets the HTTP service and a user; where its page is. */
const withPage = async (cluster: ProcessCluster): Promise<string> => {
  const port = await freePort()
  const file = join(cluster.masterHome, 'etc/cluster.json')
  const given: object = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...given, api: { enabled: true, port } }))
  const program = join(repository, 'dist/cli/muster-api.js')
  const added = spawnSync(process.execPath, [program, '--home', cluster.masterHome, 'user', 'add', user], {
    input: `${password}\n`,
    encoding: 'utf8',
  })
  expect(added).toMatchObject({ status: 0, stderr: '' })
  return `http://127.0.0.1:${port}/page/`
}

/** Half of them begin at each worker; one that comes before its key does tries again soon. */
const startAgents = (cluster: ProcessCluster, signal: AbortSignal): Promise<Ran> => {
  const ports = [worker, secondWorker].map((name) => cluster.agentPorts(name))
  return cluster.agents(
    [
      ...['--agents', String(agentCount), '--servers', ports.map(({ listener }) => `127.0.0.1:${listener}`).join(), '--rotate'],
      ...['--enrol', '--enrol-port', ports.map(({ enrolment }) => enrolment).join(), '--enrol-delay', '1'],
      ...['--retry-interval', '0.2', '--max-retries', '20', '--notify-time', '1', '--json'],
    ],
    signal,
  )
}

describe.skipIf(hasNoBrowser)('the page of a real cluster', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  it('shows it healthy, with a file that fails, healthy again, and with a worker lost', () =>
    withCluster(
      [master, worker, secondWorker],
      async (cluster) => {
        const url = await withPage(cluster)
        for (let at = 0; at < 40; at++) writeBelow(cluster.masterHome, `etc/rules/rules-${at}.xml`, `<group name="g${at}"/>`)
        await cluster.startAll()
        const enough = new AbortController()
        const agents = startAgents(cluster, enough.signal)
        const { complaints, page } = await openPage(browser)
        await page.goto(url)
        await signIn(page, user, password)
        await page.locator('#cluster').waitFor()
        await says(page, 'headline', /^2 of 2 workers are in sync\.$/)
        await expect.poll(() => seen(page.locator('#counters')), { timeout: 20_000 }).toContain(`${agentCount} / ${agentCount}`)
        await says(page, 'events', worker)
        await screenshot(page, 'cluster-healthy')

        const blocked = join(cluster.home(worker), 'etc/rules/blocked.xml')
        mkdirSync(blocked)
        writeFileSync(join(blocked, 'mine.tmp'), 'excluded, so never touched')
        writeBelow(cluster.masterHome, 'etc/rules/blocked.xml', '<group name="wanted"/>')
        await says(page, 'headline', `1 file cannot be written on ${worker}.`)
        await page.getByRole('button', { name: worker, exact: true }).first().click()
        await says(page, 'nodes', /failed\s+etc\/rules\/blocked\.xml\s+.*EISDIR: a directory/)
        await screenshot(page, 'cluster-failing-file')

        rmSync(blocked, { recursive: true })
        await says(page, 'headline', /^2 of 2 workers are in sync\.$/)
        await page.getByRole('button', { name: worker, exact: true }).first().click()

        cluster.daemon(secondWorker).killNow()
        await says(page, 'headline', `${secondWorker} is not connected: `)
        await says(page, 'events', secondWorker)
        await screenshot(page, 'cluster-lost-worker')

        await cluster.daemon(master).stop()
        await says(page, 'freshness', 'stale since')
        expect(await seen(page.locator('#nodes'))).not.toContain('\nin sync')
        enough.abort()
        await agents
        expect(complaints).toEqual([])
        await page.context().close()
      },
      true,
    ))
})
