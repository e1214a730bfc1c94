import { describe, expect, it } from 'vitest'
import { Signal } from '../../../src/actors/kit/signal.js'

describe('a signal', () => {
  it('calls each listener with its value, in the order they were added, until they are removed', () => {
    const signal = new Signal<number>()
    const seen: string[] = []
    const stopFirst = signal.add((value) => seen.push(`first ${value}`))
    signal.add((value) => seen.push(`second ${value}`))
    signal.emit(1)
    stopFirst()
    signal.emit(2)
    expect(seen).toEqual(['first 1', 'second 1', 'second 2'])
  })

  it('calls the listeners it had when it was emitted, whatever they add and remove', () => {
    const signal = new Signal()
    const seen: string[] = []
    const stopFirst = signal.add(() => {
      seen.push('first')
      stopFirst()
      signal.add(() => seen.push('added'))
    })
    signal.add(() => seen.push('second'))
    signal.emit()
    expect(seen).toEqual(['first', 'second'])
    signal.emit()
    expect(seen).toEqual(['first', 'second', 'second', 'added'])
  })
})
