using System.Globalization;

namespace Ashlar.Simulation;

/// <summary>One run over one trace; a second crash is a run of its own over the trace of the recovery.</summary>
sealed class CrashExploration
{
    const int MaxPasses = 4;

    // In the place of the number of a state, in texts that replay it.
    const int Killed = -1, KilledBySync = -2;

    readonly DiskImage start;
    readonly Guid bootId;
    readonly DiskEvent[] trace;
    readonly Func<CrashState, Task> check;
    readonly CrashExplorerOptions options;
    readonly CrashContext context;
    readonly HashSet<(UInt128 Image, int MarkCount)> seen = [];
    readonly HashSet<UInt128> images = [];
    readonly HashSet<int> covered = [];
    readonly int firstEvent;
    int points, states, nested, deaths;

    public CrashExploration(SimulatedFileSystem disk, Func<CrashState, Task> check, CrashExplorerOptions options)
        : this(disk, int.MaxValue, check, options, CrashContext.None)
    {
    }

    CrashExploration(
        SimulatedFileSystem disk, int eventCount, Func<CrashState, Task> check, CrashExplorerOptions options, CrashContext context,
        int firstEvent = 0)
    {
        this.firstEvent = firstEvent;
        if (!disk.IsRecording) throw new ArgumentException("The disk recorded nothing.", nameof(disk));
        start = disk.TraceStart;
        bootId = disk.BootId;
        trace = disk.CopyTrace()[..Math.Min(eventCount, disk.TraceLength)];
        this.check = check;
        this.options = options;
        this.context = context;
    }

    public async Task<CrashExplorerResult> RunAsync()
    {
        var total = CountStates();
        if (options.Replay is not null)
        {
            await PassAsync(0, 1);
            await DieAsync();
            if (states == 0 && deaths == 0) throw new InvalidOperationException($"The trace has no state {options.Replay} to replay.");
        }

        // Each pass takes a further share of the states, chosen by their hash, until enough of them were distinct.
        var share = 0.0;
        for (var pass = 0; options.Replay is null && pass < MaxPasses && share < 1 && seen.Count < options.StateBudget; pass++)
        {
            var yield = states == 0 ? 1.0 : Math.Max(0.01, (double)seen.Count / states);
            var next = Math.Min(1, share + (options.StateBudget - seen.Count) / yield / Math.Max(1, total));
            await PassAsync(share, next);
            share = next;
        }

        if (options.Replay is null) await DieAsync();
        return new CrashExplorerResult(trace.Length, points, states, seen.Count, images.Count, nested)
        {
            CoveredPoints = covered.Count,
            Deaths = deaths,
        };
    }

    int CountStates()
    {
        var total = 0;
        foreach (var point in Points())
        {
            points++;
            total += Candidates(point).Count();
        }

        return total;
    }

    async Task PassAsync(double fromShare, double endShare)
    {
        foreach (var point in Points())
        {
            var number = -1;
            foreach (var survivors in Candidates(point))
            {
                number++;
                var replay = context.ReplayText(point.EventCount, number);
                var isChosen = options.Replay is { } wanted
                    ? context.Leads(replay, wanted)
                    : IsInShare(point, number, fromShare, endShare);
                if (isChosen) await VisitAsync(point, survivors, replay);
            }
        }
    }

    /// <summary>Points where a crash could leave something else than at the one before.</summary>
    /// <remarks>
    /// Of several marks in a row only the last is a point: nothing can survive between them that could not after them, and
    /// what has been promised by then is more.
    /// </remarks>
    IEnumerable<CrashPoint> Points()
    {
        var point = new CrashPoint(start);
        var yielded = -1;
        for (var index = 0; ; index++)
        {
            var isBetweenMarks = index > 0 && index < trace.Length
                && trace[index] is DiskEvent.Mark && trace[index - 1] is DiskEvent.Mark;
            if (point.Version != yielded && !isBetweenMarks && index >= firstEvent)
            {
                yielded = point.Version;
                yield return point;
            }

            if (index == trace.Length) break;
            point.Advance(trace[index]);
        }
    }

    IEnumerable<Survivors> Candidates(CrashPoint point) =>
        new CrashStateEnumerator(point, options, Mix(point.EventCount, -1)).Enumerate();

    bool IsInShare(CrashPoint point, int number, double from, double end)
    {
        // "Nothing survived" and "everything survived" are tested at every point, budget or not; at depth 2 there are too many.
        if (number < 2 && context.Depth == 1) return from == 0;
        var place = new SeededRandom(Mix(point.EventCount, number)).NextDouble();
        return place >= from && place < end;
    }

    async Task VisitAsync(CrashPoint point, Survivors survivors, string replay)
    {
        states++;
        covered.Add(point.EventCount);
        var image = point.Materialise(survivors);
        var hash = image.Hash();
        if (!seen.Add((hash, point.MarkCount))) return;
        images.Add(hash);
        var state = NewState(point, survivors, image);
        try
        {
            await check(state);
        }
        catch (CrashCheckException)
        {
            throw;
        }
        catch (Exception cause)
        {
            throw await FailureAsync(point, survivors, replay, cause);
        }

        await CrashAgainAsync(state, replay);
    }

    async Task CrashAgainAsync(CrashState state, string replay)
    {
        if (context.Depth > 1 || state.Disk.TraceLength == 0) return;
        var isChosen = options.Replay is { } wanted
            ? wanted != replay
            : options.NestedOneIn > 0 && new SeededRandom(state.Seed).OneIn(options.NestedOneIn);
        if (!isChosen) return;

        var further = options with { StateBudget = options.NestedBudget, NestedOneIn = 0, Seed = state.Seed };
        var first = new CrashContext(2, replay, state.Marks, state.ToString(), options.Seed);
        var again = new CrashExploration(state.Disk, state.RecoveryEvents ?? int.MaxValue, check, further, first);
        nested += (await again.RunAsync()).Distinct;
    }

    // Processes that die at a point, or right after a sync failed there. The next one finds everything in the page cache; what the
    // medium has shows when power is lost in turn.
    async Task DieAsync()
    {
        if (context.Depth > 1) return;
        foreach (var point in Points())
        {
            foreach (var number in (int[])[Killed, KilledBySync])
            {
                var replay = context.ReplayText(point.EventCount, number);
                var isChosen = options.Replay is { } wanted
                    ? context.Leads(replay, wanted)
                    : options.KilledOneIn > 0 && new SeededRandom(Mix(point.EventCount, number)).OneIn(options.KilledOneIn);
                if (!isChosen) continue;
                if (number == Killed) await DieAsync(point, trace[..point.EventCount], replay, "The process was killed.");
                else if (point.EventCount < trace.Length && trace[point.EventCount] is DiskEvent.Sync sync)
                    await DieOfSyncAsync(point, sync.Node, replay);
            }
        }
    }

    Task DieOfSyncAsync(CrashPoint point, int node, string replay) => DieAsync(
        point, [.. trace[..point.EventCount], new DiskEvent.ForgottenSync(node)], replay,
        $"The sync of {point.NameOf(node)} failed, and the process ended.");

    async Task DieAsync(CrashPoint point, DiskEvent[] before, string replay, string death)
    {
        deaths++;
        var seed = Mix(point.EventCount, before.Length);
        var state = new CrashState(
            SimulatedFileSystem.AfterDeath(start, before, bootId), point.Marks, point.EventCount, 1, seed, () => death)
        {
            KeepsPageCache = before.Length == point.EventCount,
        };
        try
        {
            await check(state);
        }
        catch (Exception cause)
        {
            var message = string.Create(
                CultureInfo.InvariantCulture,
                $"""
                A disk fails its check after the death of a process: {cause.Message}
                Seed {options.Seed}, state {replay}, after {point.EventCount} of {trace.Length} events. {death}
                Replay: ASHLAR_SEED={options.Seed} ASHLAR_CRASH={replay} dotnet test --filter <this test>
                """);
            throw new CrashCheckException(message, replay, cause);
        }

        var further = options with { StateBudget = options.NestedBudget, NestedOneIn = 0, KilledOneIn = 0, Seed = seed };
        var first = new CrashContext(2, replay, state.Marks, death, options.Seed);
        var again = new CrashExploration(
            state.Disk, state.RecoveryEvents ?? int.MaxValue, check, further, first, firstEvent: before.Length);
        nested += (await again.RunAsync()).Distinct;
    }

    CrashState NewState(CrashPoint point, Survivors survivors, DiskImage image)
    {
        // The description is only made when asked for, while the point still stands there.
        var marks = context.Marks ?? point.Marks;
        var seed = Mix(point.EventCount, (int)image.Hash());
        var eventCount = point.EventCount;
        var description = new Lazy<string>(() => context.Describe(CrashDescription.Of(point, survivors)));
        return new CrashState(
            new SimulatedFileSystem(image, isRecording: true), marks, eventCount, context.Depth, seed, () => description.Value);
    }

    async Task<CrashCheckException> FailureAsync(CrashPoint point, Survivors survivors, string replay, Exception cause)
    {
        var shrunk = await new CrashShrinker(FailureOfAsync).ShrinkAsync(point, survivors);
        var finalCause = await FailureOfAsync(shrunk) ?? cause;
        var found = context.Describe(CrashDescription.Of(point, shrunk));
        var seed = context.Seed ?? options.Seed;
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            A crash state fails its check: {finalCause.Message}
            Seed {seed}, state {replay}, after {point.EventCount} of {trace.Length} events.
            {found}
            Replay: ASHLAR_SEED={seed} ASHLAR_CRASH={replay} dotnet test --filter <this test>
            """);
        return new CrashCheckException(message, replay, finalCause);

        async Task<Exception?> FailureOfAsync(Survivors candidate)
        {
            try
            {
                await check(NewState(point, candidate, point.Materialise(candidate)));
                return null;
            }
            catch (Exception failure)
            {
                return failure;
            }
        }
    }

    ulong Mix(int eventCount, int number) =>
        new SeededRandom(new SeededRandom(options.Seed ^ (uint)eventCount).NextUInt64() ^ (uint)number).NextUInt64();
}
