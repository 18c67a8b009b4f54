// Who is logged in.
import { api, data, Refusal } from '../api/client';
import { connection } from '../live/connection.svelte';
import type { Me } from '../api/nouns';

class Who {
  me = $state.raw<Me>();
  isUnknown = $state(false);

  async ask(): Promise<void> {
    try {
      // Asked first, because a refusal would stand in the browser's console like a fault.
      const { isLoggedIn } = await data(api.GET('/session'));
      this.me = isLoggedIn ? await data(api.GET('/api/v1/me')) : undefined;
      this.isUnknown = !isLoggedIn;
      if (connection.state === 'away' && !isLoggedIn) connection.state = 'opening';
    } catch (error) {
      // It starts, or has too much to do: that is no answer to who this is.
      if (error instanceof Refusal && (error.status === 0 || error.status === 429 || error.status >= 500)) {
        connection.state = 'away';
        setTimeout(() => void this.ask(), 1500);
        return;
      }
      this.me = undefined;
      this.isUnknown = true;
    }
  }

  async leave(): Promise<void> {
    await api.POST('/logout');
    await this.ask();
  }
}

export const who = new Who();
