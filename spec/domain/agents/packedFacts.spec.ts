/** The facts of an agent as one text: nothing is lost by packing and unpacking, and what breaks a rule is noticed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { type AgentFacts, agentFactNames, managerFactNames } from '../../../src/domain/agents/agent.js'
import { areSoundFacts, factSeparator, packFacts, siftFacts, unpackFacts } from '../../../src/domain/agents/packedFacts.js'

const units = fc.constantFrom('a', 'Ü', '\u{1F600}', '"', '\n', '\t', '\u0000', '\u001b', '\u007F', '\u0085', '\uD800', '\uDC00')
const texts = fc.array(units, { maxLength: 4 }).map((chosen) => chosen.join(''))
const plainTexts = texts.filter((text) => !text.includes('\u007F'))
const factsOf = (text: fc.Arbitrary<string>): fc.Arbitrary<AgentFacts> =>
  fc.record({
    ...{ ip: text, version: text, osName: text, osVersion: text, osPlatform: text },
    ...{ osArch: text, osUname: text, configSum: text, mergedSum: text, labels: text },
  })

const allNames = [...agentFactNames, ...managerFactNames]
/** Some of them have what a real manager says besides. */
const managedFactsOf = (text: fc.Arbitrary<string>): fc.Arbitrary<AgentFacts> => {
  const besides = fc.record(Object.fromEntries(managerFactNames.map((name) => [name, text.filter((said) => said !== '')])), {
    requiredKeys: [],
  })
  return fc.tuple(factsOf(text), besides).map(([facts, more]) => ({ ...facts, ...more }))
}

/** The rule, fact by fact. */
const isSound = (facts: AgentFacts): boolean =>
  allNames.every((name) => {
    const said = facts[name] ?? ''
    const text = name === 'labels' ? said.replaceAll(/[\n\t]/g, '') : said
    return !/[\p{Cc}\p{Cs}]/u.test(text)
  })

describe('packed facts', () => {
  it('are the facts that were packed', () => {
    fc.assert(fc.property(managedFactsOf(plainTexts), (facts) => void expect(unpackFacts(packFacts(facts))).toEqual(facts)))
  })

  it('are as nodes of earlier builds take them where no real manager says more', () => {
    fc.assert(
      fc.property(factsOf(plainTexts), (facts) => {
        expect(packFacts({ ...facts, osMajor: '' })).toBe(agentFactNames.map((name) => facts[name]).join(factSeparator))
      }),
    )
  })

  it('are sound exactly when each fact is', () => {
    const some = fc.oneof(managedFactsOf(fc.constantFrom('', 'a', 'Ü\u{1F600}')), managedFactsOf(texts))
    const broken = fc
      .tuple(some, fc.constantFrom(...allNames), texts)
      .map(([facts, name, text]): AgentFacts => ({ ...facts, [name]: text }))
    fc.assert(fc.property(broken, (facts) => void expect(areSoundFacts(packFacts(facts))).toBe(isSound(facts))))
  })

  it.each(allNames)('are sound up to the length that a fact may have: %s', (name) => {
    const most = name === 'labels' ? limits.agentLabelsCharsMax : limits.agentFactCharsMax
    const none = unpackFacts('')
    expect(areSoundFacts(packFacts({ ...none, [name]: 'x'.repeat(most) }))).toBe(true)
    expect(areSoundFacts(packFacts({ ...none, [name]: 'x'.repeat(most + 1) }))).toBe(false)
  })

  it('are not sound when there are too few', () => {
    expect(areSoundFacts('')).toBe(false)
    expect(areSoundFacts(packFacts(unpackFacts('')).slice(1))).toBe(false)
    const managed = packFacts({ ...unpackFacts(''), osMajor: '12' })
    expect([managed, managed.slice(0, -1), managed + factSeparator].map(areSoundFacts)).toEqual([true, false, false])
  })
})

describe('what an agent says of itself', () => {
  it('is taken fact by fact: those that break a rule are left out and named, the others stay as they are', () => {
    const none = unpackFacts('')
    const some = fc.oneof(texts, fc.constantFrom('x'.repeat(limits.agentFactCharsMax), 'x'.repeat(limits.agentFactCharsMax + 1)))
    const said = fc.record(Object.fromEntries(allNames.map((name) => [name, some])), { requiredKeys: [] })
    fc.assert(
      fc.property(said, (facts) => {
        const { packed, refused } = siftFacts(facts)
        expect(areSoundFacts(packed)).toBe(true)
        const sound = allNames.filter((name) => areSoundFacts(packFacts({ ...none, [name]: facts[name] ?? '' })))
        expect(refused.map(({ fact }) => fact)).toEqual(allNames.filter((name) => !sound.includes(name)))
        expect(unpackFacts(packed)).toEqual({
          ...none,
          ...Object.fromEntries(sound.flatMap((name) => (facts[name] ? [[name, facts[name]]] : []))),
        })
      }),
    )
  })

  it('is refused with what is wrong', () => {
    const { packed, refused } = siftFacts({ version: 'v4', osName: 'a\nb', labels: 'x'.repeat(limits.agentLabelsCharsMax + 1) })
    expect(unpackFacts(packed)).toMatchObject({ version: 'v4', osName: '', labels: '' })
    expect(refused).toEqual([
      { fact: 'osName', why: 'has a character that is not allowed' },
      { fact: 'labels', why: 'has 16385 characters, the limit is 16384' },
    ])
  })
})
