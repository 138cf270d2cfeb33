import type {
  Answers,
  DecidingEvent,
  HookEvent,
  Hooks,
  InformingEvent,
  Notice,
  Notices,
  Question,
  Questions,
} from '@fusewire/engine'

type Decisions = { [E in DecidingEvent]?: (question: Questions[E]) => Answers[E] | Promise<Answers[E]> }

/** An application whose decisions a test makes, and which writes down what it is asked and told. */
export class FakeHooks implements Hooks {
  /** What is asked about, and how it is answered. */
  readonly decisions: Decisions = {}
  /** What it wants to hear of. */
  readonly wanted = new Set<InformingEvent>()
  readonly questions: Question[] = []
  readonly notices: Notice[] = []

  takes(event: HookEvent): boolean {
    return event in this.decisions || this.wanted.has(event as InformingEvent)
  }

  async ask<E extends DecidingEvent>(question: Questions[E]): Promise<Answers[E]> {
    this.questions.push(question)
    const decide = this.decisions[question.event as E]
    if (!decide) throw new Error(`nobody decides ${question.event}`)
    return decide(question)
  }

  tell(notice: Notice): void {
    this.notices.push(notice)
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}

  /** What it was told of one event. */
  of<E extends InformingEvent>(event: E): Notices[E][] {
    return this.notices.filter((notice): notice is Notices[E] => notice.event === event)
  }
}
