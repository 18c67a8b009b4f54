// Where one can go, in the order of the sidebar; `key` after g goes there.
import Activity from '@lucide/svelte/icons/activity';
import Clapperboard from '@lucide/svelte/icons/clapperboard';
import FolderInput from '@lucide/svelte/icons/folder-input';
import Layers from '@lucide/svelte/icons/layers';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import ListVideo from '@lucide/svelte/icons/list-video';
import Mic from '@lucide/svelte/icons/mic';
import Palette from '@lucide/svelte/icons/palette';
import Radio from '@lucide/svelte/icons/radio';
import Settings from '@lucide/svelte/icons/settings';
import Webhook from '@lucide/svelte/icons/webhook';

export const PLACES = [
  { path: '/', name: 'Overview', icon: LayoutDashboard, key: 'o' },
  { path: '/jobs', name: 'Jobs', icon: ListVideo, key: 'j' },
  { path: '/batches', name: 'Batches', icon: Layers, key: 'b' },
  { path: '/submit', name: 'Submit', icon: FolderInput, key: 's' },
  { path: '/templates', name: 'Templates', icon: Palette, key: 't' },
  { path: '/projects', name: 'Projects', icon: Clapperboard, key: 'p' },
  { path: '/narration', name: 'Narration', icon: Mic, key: 'n' },
  { path: '/workers', name: 'Workers', icon: Activity, key: 'w' },
  { path: '/events', name: 'Events', icon: Radio, key: 'e' },
  { path: '/webhooks', name: 'Webhooks', icon: Webhook, key: 'h' },
  { path: '/settings', name: 'Settings', icon: Settings, key: ',' },
] as const;
