/** The parsers of what agents, strangers and operators hand in that `npm run fuzz` throws inputs at: a row each. */
import { agentParsers } from './agentParsers.js'
import { apiParsers } from './apiParsers.js'
import { carriedParsers } from './carriedParsers.js'
import { certificateParsers } from './certificateParsers.js'
import { enrolmentParsers } from './enrolmentParsers.js'
import { eventParsers } from './eventParsers.js'
import type { FuzzedParser } from './fuzzParser.js'
import { haproxyParsers } from './haproxyParsers.js'
import { localParsers } from './localParsers.js'
import { networkParsers } from './networkParsers.js'
import { wazuhParsers } from './wazuhParsers.js'

export const parsers: readonly FuzzedParser[] = [
  ...agentParsers,
  ...eventParsers,
  ...enrolmentParsers,
  ...networkParsers,
  ...apiParsers,
  ...haproxyParsers,
  ...certificateParsers,
  ...wazuhParsers,
  ...carriedParsers,
  ...localParsers,
]
