import './styles/tokens.css'
import './styles/base.css'
import { render } from 'preact'
import { client } from './line/client.ts'
import { measureLatency } from './line/line-state.ts'
import { titleFollowsRoom } from './rooms/rooms.ts'
import { App } from './shell/app.tsx'
import { applyTheme } from './shell/theme.ts'

applyTheme()
titleFollowsRoom()
measureLatency()

const root = document.getElementById('app')
if (root) render(<App />, root)

// What fails here is shown by the state of the line.
client.connect().catch(() => undefined)
