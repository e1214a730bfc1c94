/** What Wazuh's local socket answers from: a node, as the composition root hands it in. */
import type { ManagerRequests } from '../../actors/manager/managerRequests.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { ClusterQuery } from '../../domain/queries/clusterQuery.js'

export interface LocalNode {
  readonly type: 'master' | 'worker'
  /** `<cluster>` as it was read, under Wazuh's names, with the key: who may open the socket may read it in ossec.conf too. */
  readonly configuration: Readonly<Record<string, unknown>>
  readonly requests: ManagerRequests
  query(query: ClusterQuery, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Of this node's rules, decoders and lists, by path: BLAKE2b-512, hexadecimal. */
  rulesetDigests(): Promise<Readonly<Record<string, string>>>
}
