namespace Ashlar.Files;

/// <summary>How many copies of blocks there are, and what is done about nodes that are slow.</summary>
public sealed record ChunkOptions
{
    /// <summary>Copies of each block, on distinct nodes, where there are as many nodes.</summary>
    public int Copies { get; init; } = 3;

    /// <summary>Copies that are durable before a block is acknowledged. With fewer nodes it is as many as there are nodes.</summary>
    public int Quorum { get; init; } = 2;

    /// <summary>Bytes of an upload that a copy may be behind the others.</summary>
    public int PiecesBehind { get; init; } = 8;

    /// <summary>A copy that takes no piece for so long is given up; another node gets one in its place.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A copy that is not durable so long after all of it was sent is given up; another node gets one in its place.</summary>
    public TimeSpan InstallLimit { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>After so long without an answer another node is asked, whether reads may be made twice or not.</summary>
    public TimeSpan ReadLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a node is waited for that is asked for something short.</summary>
    public TimeSpan CallLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it is waited for where it has to read a whole block, or to go through many.</summary>
    public TimeSpan LongCallLimit { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A node that has not answered so many calls, though nobody waits for them any more, is not asked.</summary>
    public int LateCalls { get; init; } = 64;

    /// <summary>Pieces of a file that are fetched ahead of the reader.</summary>
    public int ReadAhead { get; init; } = 8;

    /// <summary>Reads that may be made twice, of a hundred: more would make a system that is slow slower.</summary>
    public double HedgePercent { get; init; } = 5;

    /// <summary>No second read begins sooner, however fast the first ones are.</summary>
    public TimeSpan MinHedgeDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How old what is known of a node's health may be.</summary>
    public TimeSpan HealthPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After so long without a node its copies are made elsewhere: most come back sooner.</summary>
    public TimeSpan LostAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a node is asked about its health.</summary>
    public TimeSpan HealthLimit { get; init; } = TimeSpan.FromSeconds(5);
}
