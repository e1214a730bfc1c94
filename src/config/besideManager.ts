/** What the programs of a real Wazuh manager make of the same `<cluster>`: where they would take another value, or refuse ours. */
import type { ClusterBlock } from './clusterBlock.js'
import type { Findings, Option } from './option.js'
import type { Element } from './ossec/ossecConf.js'
import { clusterOptions } from './settings.js'

/** What wazuh-remoted, -authd, -monitord, -modulesd and -analysisd read one by one, each from the first place where it stands. */
const readByOthers: readonly Option[] = [clusterOptions.name, clusterOptions.nodeName, clusterOptions.nodeType, clusterOptions.disabled]

const shownText = ({ text }: Element): string => JSON.stringify(text?.slice(0, 100) ?? '')

/** @param clusters the elements of each `<cluster>` block */
export const warnBesideManager = (
  file: string,
  clusters: readonly (readonly Element[])[],
  { nodeName }: ClusterBlock,
  { warnings }: Findings,
): void => {
  const elements = clusters.flat()
  for (const { name } of readByOthers) {
    const first = elements.find((element) => element.name === name)
    const last = elements.findLast((element) => element.name === name)
    if (first && last && first.text !== last.text)
      warnings.push(
        `${file}: <cluster><${name}> is ${shownText(last)} here, and ${shownText(first)} to the manager's other programs, which read the first one: write it once`,
      )
  }
  if (nodeName.includes('.'))
    warnings.push(
      `${file}: <cluster><${clusterOptions.nodeName.name}> is ${JSON.stringify(nodeName)}: Wazuh's own wazuh-clusterd refuses dots from 4.14.6 on, so going back to it would need another name; write ${JSON.stringify(nodeName.replaceAll('.', '-'))}`,
    )
}
