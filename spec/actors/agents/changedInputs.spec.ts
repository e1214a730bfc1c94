import { describe, expect, it } from 'vitest'
import { ChangedInputs } from '../../../src/actors/agents/changedInputs.js'

const given = (changed: ChangedInputs): Promise<readonly string[] | undefined> => changed.handle((paths) => Promise.resolve(paths))

describe('inputs of merged files', () => {
  it('are unknown at first and after a failed build, then the files changed since the last build', async () => {
    const changed = new ChangedInputs()
    expect(await given(changed)).toBeUndefined()
    expect(await given(changed)).toEqual([])
    expect(changed.add(['etc/shared/g/x', 'etc/rules/r', 'var/multigroups/0/merged.mg'])).toBe(true)
    expect(await given(changed)).toEqual(['etc/shared/g/x', 'var/multigroups/0/merged.mg'])
    expect(await given(changed)).toEqual([])
    changed.add(['etc/shared/g/x'])
    await expect(changed.handle(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await given(changed)).toBeUndefined()
    changed.add(undefined)
    expect(await given(changed)).toBeUndefined()
  })

  it('are not touched by a change of other files', () => {
    const changed = new ChangedInputs()
    expect(changed.add(['etc/rules/r', 'etc/client.keys'])).toBe(false)
  })

  it('that change during a build are left to the next build', async () => {
    const changed = new ChangedInputs()
    await changed.handle(async () => {
      changed.add(['etc/shared/g/x'])
    })
    expect(await given(changed)).toEqual(['etc/shared/g/x'])
  })
})
