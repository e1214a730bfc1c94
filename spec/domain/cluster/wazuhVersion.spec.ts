import { describe, expect, it } from 'vitest'
import { isLowerVersion } from '../../../src/domain/cluster/wazuhVersion.js'

describe('versions of Wazuh', () => {
  it.each([
    ['Wazuh v4.9.12', 'Wazuh v4.14.7', true],
    ['Wazuh v4.14.6', 'v4.14.7', true],
    ['4.14', '4.14.1', true],
    ['Wazuh v4.14.7', 'Wazuh v4.14.7', false],
    ['Wazuh v5.0.0', 'Wazuh v4.14.7', false],
    ['', 'Wazuh v4.14.7', false],
    ['latest', 'Wazuh v4.14.7', false],
    ['Wazuh v4.9.12', '', false],
  ])('%j is lower than %j: %j', (version, other, isLower) => expect(isLowerVersion(version, other)).toBe(isLower))
})
