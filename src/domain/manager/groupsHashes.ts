/** Whether our table and wazuh-db say the same of the groups of all agents. */
import { createHash } from 'node:crypto'

/** Over no groups at all: then wazuh-db has no hash. */
const noGroupsHash = createHash('sha1').digest('hex')

export const isSameGroupsHash = (own: string, wazuhs: string | undefined): boolean => own === (wazuhs ?? noGroupsHash)
