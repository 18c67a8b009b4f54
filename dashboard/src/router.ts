import { createRouter } from 'sv-router';
import Overview from './pages/overview/Overview.svelte';

// Every page but the first is loaded when it is wanted. The server knows the same first words: api/site.py.
export const { p, navigate, isActive, route } = createRouter({
  '/': Overview,
  '/jobs': () => import('./pages/jobs/Jobs.svelte'),
  '/jobs/:id': () => import('./pages/job/Job.svelte'),
  '/batches': () => import('./pages/batches/Batches.svelte'),
  '/batches/:id': () => import('./pages/batch/Batch.svelte'),
  '/submit': () => import('./pages/submit/Submit.svelte'),
  '/templates': () => import('./pages/templates/Templates.svelte'),
  '/projects': () => import('./pages/projects/Projects.svelte'),
  '/projects/:id': () => import('./pages/project/Project.svelte'),
  '/narration': () => import('./pages/narration/Narration.svelte'),
  '/workers': () => import('./pages/workers/Workers.svelte'),
  '/events': () => import('./pages/events/Events.svelte'),
  '/webhooks': () => import('./pages/webhooks/Webhooks.svelte'),
  '/webhooks/:id': () => import('./pages/webhook/Webhook.svelte'),
  '/settings': () => import('./pages/settings/Settings.svelte'),
  '/settings/:part': () => import('./pages/settings/Settings.svelte'),
  '*': () => import('./pages/Lost.svelte'),
});
