import { CHANNELS } from '../../../shared/channels.ts'
import { isDeviceLoad, isDeviceReading, LOADS_KEPT } from '../../../shared/device-reading.ts'
import { followChannel } from '../../channels/follow-channel.ts'
import { followState } from '../../channels/follow-state.ts'
import { client } from '../../line/client.ts'

/** What the server's machine says of itself now. */
export const newestReading = followState(client.state(CHANNELS.device), isDeviceReading)

/** Its load of the last minutes, a second apart. */
export const loads = followChannel(client.channel(CHANNELS.deviceLoad), { keep: LOADS_KEPT, accept: isDeviceLoad })
