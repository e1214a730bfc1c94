/** The form for those who are not signed in. The session is a cookie that no script can read. */
import { found, setText } from './elements.js'

export interface SignInService {
  signIn(user: string, password: string): Promise<void>
}

export class SignInForm {
  readonly #entrance = found('entrance', HTMLElement)
  readonly #form = found('sign-in', HTMLFormElement)
  readonly #error = found('sign-in-error', HTMLElement)

  constructor(service: SignInService, signedIn: () => void) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit(service, signedIn)
    })
  }

  show(isShown: boolean): void {
    if (this.#entrance.hidden === !isShown) return
    this.#entrance.hidden = !isShown
    if (isShown) this.#field('user').focus()
  }

  #field(name: string): HTMLInputElement {
    const field = this.#form.elements.namedItem(name)
    if (!(field instanceof HTMLInputElement)) throw new Error(`index.html has no such field: ${name}`)
    return field
  }

  async #submit(service: SignInService, signedIn: () => void): Promise<void> {
    const [user, password] = [this.#field('user'), this.#field('password')]
    const button = this.#form.querySelector('button')
    setText(this.#error, '')
    if (button) button.disabled = true
    try {
      await service.signIn(user.value, password.value)
      signedIn()
    } catch (error) {
      setText(this.#error, error instanceof Error && error.name === 'ServiceError' ? error.message : 'The node does not answer.')
      password.focus()
    } finally {
      password.value = ''
      if (button) button.disabled = false
    }
  }
}
