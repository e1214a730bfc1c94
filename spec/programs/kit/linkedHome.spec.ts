import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { withLinkedHome } from '../../../src/programs/kit/linkedHome.js'

const home = mkdtempSync(join(tmpdir(), 'muster-linked-'))
mkdirSync(join(home, 'etc'))
writeFileSync(join(home, 'etc/ossec.conf'), '')
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('the home of a program that was called by its link', () => {
  it('is the one in whose bin/ the link lies', () =>
    expect(withLinkedHome({ A: 'b' }, join(home, 'bin/wazuh-clusterd'))).toEqual({ A: 'b', WAZUH_PATH: home }))

  it('is not asked for where WAZUH_PATH is set', () =>
    expect(withLinkedHome({ WAZUH_PATH: '/srv/a' }, join(home, 'bin/wazuh-clusterd'))).toEqual({ WAZUH_PATH: '/srv/a' }))

  it.each([
    ['in another directory of a home', join(home, 'sbin/wazuh-clusterd')],
    ['in a bin/ without a configuration beside it', join(home, 'etc/bin/wazuh-clusterd')],
    ['unknown', undefined],
  ])('is the default when the program is %s', (_, calledAs) => expect(withLinkedHome({}, calledAs)).toEqual({}))
})
