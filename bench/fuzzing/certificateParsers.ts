/** The parsers of what operators and nodes hand to wazuh-certs-tool: config.yml, and certificates as PEM. */
import { invariant } from '../../src/base/invariant.js'
import { limits } from '../../src/base/limits.js'
import { checkCertificateConfig } from '../../src/domain/certificates/checkCertificateConfig.js'
import { nameRefusal } from '../../src/domain/certificates/nodeName.js'
import { readCertificateConfig } from '../../src/domain/certificates/readCertificateConfig.js'
import { findingText } from '../../src/domain/certificates/writtenConfig.js'
import type { FuzzedParser } from './fuzzParser.js'

const template = `nodes:
  # Wazuh indexer nodes
  indexer:
    - name: node-1
      ip: "10.0.0.1"
    #- name: node-2
    #  ip: "<indexer-node-ip>"
  server:
    - name: wazuh-1
      ip: "10.0.0.11"
      ip: 'w1.example.com'
      node_type: master
    - name: wazuh-2
      ip:
        - "10.0.0.12"
        - "w2.example.com"
      node_type: worker
  dashboard:
    - name: dashboard
      ip: 10.0.0.21
`
const ofFive = `nodes:
  manager:
    - { name: m1, ip: [fd00::1, 10.0.0.1], dns: m1.example.com, node_type: master }
    - name: m2
      dns: [m2, "*.example.com"]
      node_type: worker
`
const lineCharsMax = 1_000

export const certificateParsers: readonly FuzzedParser[] = [
  {
    name: 'certificates: config.yml',
    examples: () => [template, ofFive, template.replaceAll('\n', '\r\n')].map((text) => Buffer.from(text)),
    parse: (bytes) => {
      const checked = checkCertificateConfig(readCertificateConfig(Buffer.from(bytes).toString()), { checksTypes: true })
      const { mistakes, nodes, warnings } = checked
      invariant(mistakes.length <= limits.certificateFindingsMax, 'what is said of a file has a bound')
      invariant((mistakes.length === 0) === nodes.length > 0, 'there are nodes or mistakes')
      for (const finding of [...mistakes, ...warnings])
        invariant(findingText('config.yml', finding).length <= lineCharsMax, 'a sentence has a bound')
      for (const { addresses, name } of nodes) {
        invariant(nameRefusal(name) === undefined, 'a node has a name that it may have')
        invariant(addresses.length > 0 && addresses.length < limits.certificateNamesMax, 'a node has addresses')
      }
      return nodes.length > 0 ? 'taken' : 'refused'
    },
  },
]
