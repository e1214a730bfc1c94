/** `<cluster>` as Wazuh's own programs show it: under the names of ossec.conf. */
import type { NodeSettings } from './settings.js'

/** With the key: for those who may read ossec.conf. */
export const clusterAsRead = (settings: NodeSettings) => ({
  disabled: settings.disabled,
  node_type: settings.nodeType,
  name: settings.name,
  node_name: settings.nodeName,
  key: settings.key,
  port: settings.port,
  bind_addr: settings.bindAddress,
  nodes: [settings.masterAddress],
  hidden: settings.hidden ? 'yes' : 'no',
})
