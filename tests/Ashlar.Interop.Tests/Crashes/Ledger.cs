namespace Ashlar.Interop.Tests.Crashes;

/// <summary>
/// The oracle: knows every version ever written, and which of them flushes made durable. It lives in the test's process,
/// which is never killed, and never asks the server. Safe for concurrent writers as long as each block has one owner.
/// </summary>
sealed class Ledger
{
    readonly ulong run;
    readonly BlockHistory[] blocks;
    readonly List<(long Block, long Version)> completedOrder = []; // Flushes cover a prefix of this.
    readonly Lock gate = new();
    int flushedCount;

    readonly bool losesNothing;

    /// <param name="run">Marks the blocks of this run.</param>
    /// <param name="blockCount">How many there are.</param>
    /// <param name="losesNothing">Whether deaths may cost nothing that was answered, flushed or not.</param>
    public Ledger(ulong run, int blockCount, bool losesNothing = false)
    {
        (this.run, this.losesNothing) = (run, losesNothing);
        blocks = new BlockHistory[blockCount];
        for (var index = 0; index < blockCount; index++) blocks[index] = new();
    }

    public int BlockCount => blocks.Length;

    public long CompletedCount
    {
        get { lock (gate) return completedOrder.Count; }
    }

    public int FlushCount { get; private set; }

    /// <summary>Announces a write or trim of a block before it is sent. From here on the block may hold it.</summary>
    public long Issue(long block, bool zeros)
    {
        lock (gate) return blocks[block].Issue(zeros);
    }

    /// <summary>The server answered. Call after the answer arrived, never before.</summary>
    public void Complete(long block, long version)
    {
        lock (gate)
        {
            blocks[block].Complete(version);
            completedOrder.Add((block, version));
            if (losesNothing) blocks[block].RaiseFloor(version);
        }
    }

    /// <summary>Take before a flush or FUA write is sent: it covers what was completed by then, by any writer over any protocol.</summary>
    public int BeginFlush()
    {
        lock (gate) return completedOrder.Count;
    }

    /// <summary>The flush that began at <paramref name="mark"/> was answered.</summary>
    public void CompleteFlush(int mark)
    {
        lock (gate)
        {
            FlushCount++;
            for (; flushedCount < mark; flushedCount++)
            {
                var (block, version) = completedOrder[flushedCount];
                blocks[block].RaiseFloor(version);
            }
        }
    }

    /// <summary>A FUA write was answered: its own version is durable too.</summary>
    public void CompleteForced(long block, long version)
    {
        lock (gate) blocks[block].RaiseFloor(version);
    }

    /// <summary>Judges what a block's owner reads while the server has been up all the time.</summary>
    public Verdict JudgeLive(long block, ReadOnlySpan<byte> content)
    {
        lock (gate)
        {
            var verdict = Judge(block, content);
            var expected = blocks[block].Completed;
            return verdict.Fault != Fault.None || Holds(expected, verdict.Found)
                ? verdict
                : verdict with
                {
                    Fault = Fault.Stale,
                    Explanation = $"block {block}: read {Describe(verdict.Found)}, last completed is {Describe(expected)}",
                };
        }
    }

    /// <summary>Judges what is read after the server was killed and started again.</summary>
    public Verdict JudgeAfterCrash(long block, ReadOnlySpan<byte> content)
    {
        lock (gate) return Judge(block, content);
    }

    /// <summary>Rules out what the crash took away. Call with the verdict of a block that passed.</summary>
    public void SettleAfterCrash(long block, Verdict verdict)
    {
        lock (gate)
        {
            blocks[block].SettleAfterCrash(verdict.Found);
            if (losesNothing) blocks[block].RaiseFloor(verdict.Found.Number);
            completedOrder.Add((block, verdict.Found.Number)); // A flush from here on makes it durable.
        }
    }

    Verdict Judge(long block, ReadOnlySpan<byte> content)
    {
        var history = blocks[block];
        var possible = history.Possible;
        if (!content.ContainsAnyExcept((byte)0))
        {
            // The newest version of zeros: the one that allows most, as zeros do not tell which they are.
            for (var index = possible.Count - 1; index >= 0; index--)
                if (possible[index].IsZeros) return new(Fault.None, possible[index], "");
            return Bad(Fault.Lost, $"zeros, but {Describe(history.Floor)} was flushed");
        }
        if (BlockStamp.Read(content) is not { } stamp)
            return Bad(Fault.Torn, $"no whole version; the header says {BlockStamp.ReadHeader(content)}, sectors {Sectors(content)}");
        if (stamp.Run != run || stamp.Block != block) return Bad(Fault.Foreign, $"holds {stamp}");
        if (stamp.Version < history.Floor.Number) return Bad(Fault.Lost, $"holds {stamp}, but {Describe(history.Floor)} was flushed");
        foreach (var version in possible)
            if (version.Number == stamp.Version && !version.IsZeros) return new(Fault.None, version, "");
        return Bad(Fault.Invented, $"holds {stamp}; possible are {string.Join(", ", possible.Select(Describe))}");

        Verdict Bad(Fault fault, string what) =>
            new(fault, default, $"block {block}: {fault}: {what}; last completed {Describe(history.Completed)}");
    }

    static bool Holds(BlockHistory.Version expected, BlockHistory.Version found) =>
        expected == found || (expected.IsZeros && found.IsZeros);

    static string Describe(BlockHistory.Version version) => version.IsZeros ? $"v{version.Number} (zeros)" : $"v{version.Number}";

    /// <summary>One letter per 512-byte sector: 0 for zeros, x for anything else.</summary>
    static string Sectors(ReadOnlySpan<byte> content)
    {
        const int sectorSizeBytes = 512;
        Span<char> letters = stackalloc char[BlockStamp.SizeBytes / sectorSizeBytes];
        for (var index = 0; index < letters.Length; index++)
            letters[index] = content.Slice(index * sectorSizeBytes, sectorSizeBytes).ContainsAnyExcept((byte)0) ? 'x' : '0';
        return new string(letters);
    }
}
