/** `node_type` of the server nodes: nothing in a certificate depends on it, but it is wrong in the installation too when it is wrong here. */
import { shown } from '../../base/shown.js'
import type { ConfigFinding, WrittenNode } from './writtenConfig.js'

const shownType = (text: string): string => (/^[\x21-\x7e]{1,100}$/.test(text) ? text : shown(text))

/** In Wazuh's order, with its sentences. */
export const nodeTypeMistakes = (servers: readonly WrittenNode[]): readonly ConfigFinding[] => {
  const types = servers.flatMap((server) => server.types)
  const wrong = types.filter(({ text }) => !/^(master|worker)$/i.test(text))
  if (wrong.length > 0)
    return wrong.map(({ line, text }) => ({ line, sentence: `Incorrect node_type ${shownType(text)} must be master or worker` }))
  const [first] = types
  if (servers.length <= 1)
    return first ? [{ line: first.line, sentence: 'The tag node_type can only be used with more than one Wazuh server.' }] : []
  const without = servers.filter((server) => server.types.length === 0)
  if (without.length > 0)
    return without.map(({ name }) => ({
      line: name.line,
      sentence: 'The tag node_type needs to be specified for all Wazuh server nodes.',
    }))
  const extra = servers.flatMap((server) => server.types.slice(1))
  if (extra.length > 0) return extra.map(({ line }) => ({ line, sentence: 'Found extra node_type tags.' }))
  const masters = types.filter(({ text }) => /^master$/i.test(text))
  if (masters.length === 1) return []
  const [second = first] = masters.slice(1)
  return [{ line: second?.line, sentence: 'Wazuh cluster needs a single master node.', detail: `there are ${masters.length}` }]
}
