import { computed } from '@preact/signals'
import { CHANNELS } from '../../../shared/channels.ts'
import { isDeviceReading, READINGS_KEPT } from '../../../shared/device-reading.ts'
import { followChannel } from '../../channels/follow-channel.ts'
import { client } from '../../line/client.ts'

/** What the server's machine has said of itself, a second apart. */
export const readings = followChannel(client.channel(CHANNELS.device), { keep: READINGS_KEPT, accept: isDeviceReading })

export const newestReading = computed(() => readings.value.at(-1)?.data)
