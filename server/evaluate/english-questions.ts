import type { ChoiceQuestion } from "./questions.ts";

/** Beginning, right end, and wrong ones: our own, for small models of English. Grammar first, then words, then the world. */
const DATA = `
The dog and the cat|were|was|is|am
She has never|been|be|being|is
They will|go|went|gone|going
He wanted to|see|saw|seen|seeing
One of the boys|is|are|be|were
I have two|hands|hand|handed|handing
This is the|best|better|good|well
She is taller|than|then|that|as
He gave it to|me|I|my|mine
We looked at|them|they|their|theirs
The man|who|which|whose|what
It was so dark|that|than|then|them
He was afraid|of|at|in|on
She listened|to|of|by|at
They were waiting|for|of|by|off
He sat down|on a chair|of a chair|than a chair|since a chair
There is nobody|here|hear|hare|her
An|apple|pear|book|door
If I were|you|your|yours|yourself
Neither he nor|she|her|hers|herself
The children play with|their toys|its toys|his toy are|they toys
Yesterday we|walked home|walk home|walking home|will walk home
Once upon a|time|table|stone|river
Good morning, he|said|sang the|eat|blue
Ladies and|gentlemen|tables|yesterday|windows
The king and the|queen|spoon|carpet|river
Bread and|butter|stones|clouds|paper
Day and|night|chair|wheel|spoon
Right or|wrong|green|tall|slow
Up and|down|blue|seven|over of
North and|south|soup|shoe|salt
Mother and|father|further|feather|weather
A cup of|tea|sand|shoes|stairs
A pair of|shoes|water|sugar|rain
He opened the|door|sky|song|idea
She read a|book|spoon|wall|shoe
The ship sailed across the|sea|soup|roof|pocket
The bird flew up into the|sky|shoe|spoon|carpet
The fish swam in the|water|tree|book|sky
He ate his|dinner|window|chair|shadow
She put on her|coat|house|river|moon
He lit the|lamp|rain|stone|water
The horse pulled the|cart|cloud|song|moon
They slept in a|bed|cup|spoon|letter
He wrote a|letter|ladder|chair|river
The sun rises in the|east|pocket|kitchen|winter
In winter it is|cold|hot|wooden|sweet
Fire is|hot|cold|wet|square
Ice is|cold|hot|loud|green
Snow is|white|black|red|loud
Grass is|green|blue|loud|early
At night it is|dark|bright|wooden|sour
Sugar is|sweet|sour|loud|tall
The opposite of big is|small|large|huge|great
A year has twelve|months|hands|doors|rivers
A week has seven|days|years|legs|hours
A hand has five|fingers|feet|eyes|wings
We see with our|eyes|ears|feet|elbows
We hear with our|ears|eyes|hands|knees
A cow gives|milk|bread|wine|letters
Bees make|honey|milk|shoes|paper
Trees have|leaves|pockets|wheels|windows
When it rains the ground gets|wet|dry|loud|sweet
He was hungry, so he|ate|slept|read|sang
She was tired, so she|slept|danced|ran|shouted
He fell and hurt his|knee|window|hat|shadow
The baby began to|cry|write|drive|vote
He shut his eyes and fell|asleep|awake|open|upstairs
`;

/** Places of the right answers go round: nothing is to be had by always taking the same. */
export const ENGLISH_QUESTIONS: readonly ChoiceQuestion[] = DATA.trim()
  .split("\n")
  .map((line, i) => {
    const [prompt = "", right = "", ...wrong] = line.split("|");
    const answer = i % (wrong.length + 1);
    return { prompt, choices: wrong.toSpliced(answer, 0, right), answer };
  });
