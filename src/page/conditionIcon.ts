/** A shape for each condition, so that colour is never the only sign. */
import { type Condition, conditions, type Severity } from '../domain/api/overview/nodeCondition.js'
import { setAttribute, svg } from './elements.js'

const circle = 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z'
const hole = 'M8 3.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9z'

/** In a square of 16, filled by even and odd. */
const outlines: Readonly<Record<Condition, string>> = {
  lost: 'M3.2 1.6 8 6.4l4.8-4.8 1.6 1.6L9.6 8l4.8 4.8-1.6 1.6L8 9.6l-4.8 4.8-1.6-1.6L6.4 8 1.6 3.2z',
  failing: 'M8 1.2 15.4 14.4H.6zM7.1 6v4.2h1.8V6zM7.1 11.3v1.8h1.8v-1.8z',
  incomparable: 'M8 .8 15.2 8 8 15.2.8 8zM7.1 4.4v4.4h1.8V4.4zM7.1 9.9v1.8h1.8V9.9z',
  away: `${circle}${hole}M5.5 7.1h5v1.8h-5z`,
  comparing: `${circle}${hole}`,
  syncing: `${circle}M8 3.5a4.5 4.5 0 0 1 0 9z`,
  drained: 'M3 2h3.6v12H3zM9.4 2H13v12H9.4z',
  serving: `${circle}${hole}M8 5.4a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 0 0 0-5.2z`,
  inSync: `${circle}M4.4 8.1 7 10.7l4.7-4.9-1.2-1.1L7 8.3 5.6 7z`,
  removed: 'M2 6.9h12v2.2H2z',
}

/** Of a headline that is about no node. */
const outlineOfSeverity: Readonly<Record<Severity | 'unknown', string>> = {
  bad: outlines.failing,
  busy: outlines.syncing,
  note: outlines.incomparable,
  good: outlines.inSync,
  off: outlines.removed,
  unknown: `${circle}${hole}M7.1 4.9h1.8v4H7.1zM7.1 9.6h1.8v1.6H7.1z`,
}

const icon = () => {
  const path = svg('path', { 'fill-rule': 'evenodd' })
  return { root: svg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true' }, path), path }
}

export const conditionIcon = () => {
  const { path, root } = icon()
  return {
    root,
    update(condition: Condition): void {
      setAttribute(path, 'd', outlines[condition])
      setAttribute(root, 'class', `icon is-${conditions[condition].severity}`)
    },
  }
}

export const severityIcon = () => {
  const { path, root } = icon()
  return {
    root,
    update(severity: Severity | 'unknown'): void {
      setAttribute(path, 'd', outlineOfSeverity[severity])
      setAttribute(root, 'class', `icon is-${severity}`)
    },
  }
}
