// A question before what cannot be undone.
interface Question {
  title: string;
  text: string;
  yes: string;
  answer: (said: boolean) => void;
}

class Confirm {
  question = $state.raw<Question>();

  ask(title: string, text: string, yes: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.question = {
        title,
        text,
        yes,
        answer: (said) => {
          this.question = undefined;
          resolve(said);
        },
      };
    });
  }
}

export const confirm = new Confirm();
