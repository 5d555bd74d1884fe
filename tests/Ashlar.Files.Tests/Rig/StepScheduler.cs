namespace Ashlar.Files.Tests;

/// <summary>
/// Runs actors one step at a time, in an order that is chosen: an actor goes on from one gate to its next only when it is its turn. So
/// every interleaving of their steps can be driven, with the code that runs in production between the gates.
/// </summary>
sealed class StepScheduler
{
    readonly List<Actor> actors = [];

    /// <summary>What was chosen at each decision: which of how many actors that could go on.</summary>
    public List<(int Chosen, int Choices)> Decisions { get; } = [];

    /// <summary>The steps in their order, for the message of a failure.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>Adds an actor; it is given the gate to wait at before each of its steps.</summary>
    public void Add(string name, Func<Func<string, Task>, Task> run)
    {
        var actor = new Actor(name);
        actors.Add(actor);
        actor.Task = Task.Run(async () =>
        {
            try
            {
                await actor.PassAsync("begin");
                await run(actor.PassAsync);
            }
            finally
            {
                actor.End();
            }
        });
    }

    /// <summary>Runs all to their end. The choice gets the number of actors that can go on.</summary>
    public async Task RunAsync(Func<int, int> choose)
    {
        foreach (var actor in actors) await actor.WaitAsync();
        while (actors.Where(actor => !actor.HasEnded).ToArray() is { Length: > 0 } able)
        {
            var chosen = choose(able.Length);
            Decisions.Add((chosen, able.Length));
            Trace.Add($"{able[chosen].Name}: {able[chosen].Step}");
            able[chosen].GoOn();
            await able[chosen].WaitAsync();
        }

        await Task.WhenAll(actors.Select(actor => actor.Task));
    }

    /// <summary>Runs every interleaving, or as many of them as a sample has.</summary>
    /// <param name="add">Makes a world, adds its actors, and returns what is checked at the end.</param>
    /// <param name="sample">Chance, and how many; null is all, by depth-first search.</param>
    /// <returns>How many there were.</returns>
    public static async Task<int> ExploreAsync(
        Func<StepScheduler, Task<Func<Task>>> add, (Simulation.SeededRandom Random, int Count)? sample = null)
    {
        var prefix = new List<int>();
        for (var count = 1; ; count++)
        {
            var scheduler = new StepScheduler();
            var check = await add(scheduler);
            try
            {
                await scheduler.RunAsync(choices =>
                    sample is { } chance ? chance.Random.Next(choices)
                    : scheduler.Decisions.Count < prefix.Count ? prefix[scheduler.Decisions.Count]
                    : 0);
                await check();
            }
            catch (Exception failure)
            {
                throw new InterleavingException($"{failure.Message}\n{string.Join('\n', scheduler.Trace)}", failure);
            }

            if (sample is { } limit)
            {
                if (count == limit.Count) return count;
                continue;
            }

            var last = scheduler.Decisions.FindLastIndex(decision => decision.Chosen + 1 < decision.Choices);
            if (last < 0) return count;
            prefix = [.. scheduler.Decisions.Take(last).Select(decision => decision.Chosen), scheduler.Decisions[last].Chosen + 1];
        }
    }

    sealed class Actor(string name)
    {
        readonly SemaphoreSlim parked = new(0);
        TaskCompletionSource turn = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => name;

        public string Step { get; private set; } = "";

        public bool HasEnded { get; private set; }

        public Task Task { get; set; } = Task.CompletedTask;

        public async Task PassAsync(string step)
        {
            Step = step;
            var mine = turn;
            parked.Release();
            await mine.Task;
        }

        public void GoOn()
        {
            var mine = turn;
            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            mine.SetResult();
        }

        public void End()
        {
            HasEnded = true;
            parked.Release();
        }

        public async Task WaitAsync()
        {
            if (!await parked.WaitAsync(TimeSpan.FromMinutes(1))) throw new TimeoutException($"{name} does not end its step {Step}");
        }
    }
}

/// <summary>An order of steps after which something did not hold.</summary>
sealed class InterleavingException(string message, Exception cause) : Exception(message, cause);
