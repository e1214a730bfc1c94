/** Measures curves point by point; returns the text with each point and the exponent of each cost. */
import { shown } from '../table.js'
import type { Workshop } from '../workshop.js'
import { type Cost, type Curve, type CurveName, curves } from './curves.js'
import { exponentOf } from './exponent.js'

interface Measured {
  readonly count: number
  readonly costs: readonly Cost[]
}

const curveText = ({ title }: Curve, points: readonly Measured[]): string => {
  const lines = points.flatMap(({ count, costs }) =>
    costs.map(({ cost, unit, what }) => `  ${String(count).padStart(9)}  ${what}: ${shown(cost, unit)}`),
  )
  const exponents = (points[0]?.costs ?? []).map(({ what }, index) => {
    const k = exponentOf(points.map(({ count, costs }) => ({ count, cost: costs[index]?.cost ?? 0 })))
    return `  exponent of '${what}': ${Number.isNaN(k) ? 'needs two points' : k.toFixed(2)}`
  })
  return [title, ...lines, ...exponents].join('\n')
}

export interface GrowthOptions {
  readonly names: readonly CurveName[]
  /** Larger counts are left out. */
  readonly upTo: number
  /** Called with a line of progress. */
  readonly say: (line: string) => void
}

export const measureGrowth = async (workshop: Workshop, { names, say, upTo }: GrowthOptions): Promise<string> => {
  const texts: string[] = []
  for (const name of names) {
    const points: Measured[] = []
    for (const count of curves[name].counts.filter((one) => one <= upTo)) {
      try {
        const costs = await curves[name].measure(workshop, count)
        points.push({ count, costs })
        say(`${count} ${name}: ${costs.map(({ cost, unit, what }) => `${what} ${shown(cost, unit)}`).join(', ')}`)
      } finally {
        await workshop.tidy()
      }
    }
    texts.push(curveText(curves[name], points))
  }
  return texts.join('\n\n')
}
