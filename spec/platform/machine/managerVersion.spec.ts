import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { versionOfControlScript } from '../../../src/domain/cluster/wazuhVersion.js'
import { managerVersion } from '../../../src/platform/machine/managerVersion.js'
import { temporaryHome } from '../../programs/controlWorld.js'

/** Lines of Wazuh's program, with those that give its version. */
const scriptOf = (version: string): string =>
  `#!/bin/sh\nDIR=/var/ossec\nVERSION="v${version}"\nREVISION="rc1"\nTYPE="server"\necho "WAZUH_VERSION=\\"v1.1.1\\""\n`

describe('the version of the manager in a home', () => {
  it('is the one that its bin/wazuh-control has', () =>
    fc.assert(
      fc.property(fc.tuple(fc.nat({ max: 999 }), fc.nat({ max: 999 }), fc.nat({ max: 999 })), (parts) => {
        expect(versionOfControlScript(scriptOf(parts.join('.')))).toBe(parts.join('.'))
      }),
    ))

  it('is read from the file, without running it', () => {
    const home = temporaryHome()
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin/wazuh-control'), scriptOf('4.12.0'))
    expect(managerVersion(home)).toBe('4.12.0')
  })

  it('is unknown without a manager, or when the program has none', () => {
    const home = temporaryHome()
    expect(managerVersion(home)).toBeUndefined()
    mkdirSync(join(home, 'bin'))
    execFileSync('mkfifo', [join(home, 'bin/wazuh-control')])
    expect(managerVersion(home)).toBeUndefined()
    for (const text of ['', 'VERSION=', 'VERSION="4"', '# VERSION="v4.14.7"']) expect(versionOfControlScript(text)).toBeUndefined()
  })
})
