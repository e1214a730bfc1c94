/** Dark, light, or as the system is: a button goes through them, and the browser remembers. */
import { found, setAttribute, setText } from './elements.js'

const themes = ['auto', 'dark', 'light'] as const
type Theme = (typeof themes)[number]

const storageKey = 'muster-theme'

const isTheme = (text: string | null): text is Theme => themes.some((theme) => theme === text)

/** A browser may keep nothing. */
const remembered = (): Theme => {
  try {
    const text = localStorage.getItem(storageKey)
    return isTheme(text) ? text : 'auto'
  } catch {
    return 'auto'
  }
}

const remember = (theme: Theme): void => {
  try {
    localStorage.setItem(storageKey, theme)
  } catch {
    // It is only a convenience.
  }
}

export const startThemeButton = (): void => {
  const button = found('theme', HTMLButtonElement)
  let theme = remembered()
  const show = (): void => {
    setAttribute(document.documentElement, 'data-theme', theme === 'auto' ? undefined : theme)
    setText(button, `Theme: ${theme}`)
  }
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto'
    remember(theme)
    show()
  })
  show()
}
