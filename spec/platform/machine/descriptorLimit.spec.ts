import { describe, expect, it } from 'vitest'
import { descriptorLimit, openFilesMax } from '../../../src/platform/machine/descriptorLimit.js'

describe('the limit of open files', () => {
  it('is the soft one that the system names', () => {
    const table = (soft: string) =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax processes             7                    7    processes\nMax open files            ${soft}               4096                 files\n`
    expect(openFilesMax(table('200'))).toBe(200)
    expect(openFilesMax(table('unlimited'))).toBe(Number.POSITIVE_INFINITY)
    expect(openFilesMax('')).toBeUndefined()
    expect(descriptorLimit()).toBeGreaterThan(0)
  })
})
