using Ashlar.Interop.Tests.Clients;

namespace Ashlar.Interop.Tests.KillCycles;

/// <summary>
/// One client with a connection and a range of its own, working until the server goes away. Everything it is about to do is
/// told to the ledger first, and everything the server answered after.
/// </summary>
sealed class Writer(int number, string protocol, BlockRange range, Ledger ledger, ulong run)
{
    const int RequestBlocksMax = 32;
    readonly byte[] buffer = new byte[RequestBlocksMax * BlockStamp.SizeBytes];

    public string Name => $"writer {number} over {protocol}";

    public BlockRange Range => range;

    /// <summary>Works until <paramref name="expectsEnd"/> says that an error is the server's ordered death, and one comes.</summary>
    /// <returns>Null, or what the server did wrong.</returns>
    public string? Work(IBlockClient client, Random random, int cycle, Func<bool> expectsEnd)
    {
        try
        {
            while (!expectsEnd())
                if (Step(client, random, cycle) is { } wrong) return $"{Name}: {wrong}";
            return null;
        }
        catch (ClientException exception)
        {
            // What was in flight stays issued and not completed: the ledger accepts it either way.
            return expectsEnd() ? null : $"{Name}: {exception.Message}";
        }
    }

    string? Step(IBlockClient client, Random random, int cycle)
    {
        // Mostly small requests: the large ones matter for the seams between them.
        var count = random.Next(4) == 0 ? 1 + random.Next(RequestBlocksMax) : 1 + random.Next(4);
        count = Math.Min(count, range.Count);
        var first = range.First + random.Next(range.Count - count + 1);
        switch (random.Next(100))
        {
            case < 65:
                Write(client, first, count, cycle, forced: random.Next(12) == 0);
                return null;
            case < 75:
                Zero(first, count, (offset, length) => client.Trim(offset, length));
                return null;
            case < 80:
                Zero(first, count, (offset, length) => client.WriteZeroes(offset, length));
                return null;
            case < 90:
                return ReadBack(client, first, count);
            default:
                Flush(client);
                return null;
        }
    }

    void Write(IBlockClient client, int first, int count, int cycle, bool forced)
    {
        Span<long> versions = stackalloc long[count];
        for (var index = 0; index < count; index++)
        {
            versions[index] = ledger.Issue(first + index, zeros: false);
            new BlockStamp(run, first + index, versions[index], number, cycle)
                .Write(buffer.AsSpan(index * BlockStamp.SizeBytes, BlockStamp.SizeBytes));
        }
        var mark = ledger.BeginFlush();
        client.Write(range.OffsetOf(first), buffer.AsSpan(0, count * BlockStamp.SizeBytes), forced);
        for (var index = 0; index < count; index++)
        {
            ledger.Complete(first + index, versions[index]);
            if (forced) ledger.CompleteForced(first + index, versions[index]);
        }
        // The promise is wider than the protocols': a FUA write also makes durable what was completed before it.
        if (forced) ledger.CompleteFlush(mark);
    }

    void Zero(int first, int count, Action<long, long> send)
    {
        Span<long> versions = stackalloc long[count];
        for (var index = 0; index < count; index++) versions[index] = ledger.Issue(first + index, zeros: true);
        send(range.OffsetOf(first), (long)count * BlockStamp.SizeBytes);
        for (var index = 0; index < count; index++) ledger.Complete(first + index, versions[index]);
    }

    string? ReadBack(IBlockClient client, int first, int count)
    {
        client.Read(range.OffsetOf(first), buffer.AsSpan(0, count * BlockStamp.SizeBytes));
        for (var index = 0; index < count; index++)
        {
            var verdict = ledger.JudgeLive(first + index, buffer.AsSpan(index * BlockStamp.SizeBytes, BlockStamp.SizeBytes));
            if (verdict.Fault != Fault.None) return verdict.Explanation;
        }
        return null;
    }

    void Flush(IBlockClient client)
    {
        var mark = ledger.BeginFlush();
        client.Flush();
        ledger.CompleteFlush(mark);
    }
}
