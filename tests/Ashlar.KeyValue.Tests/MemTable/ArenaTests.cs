namespace Ashlar.KeyValue.Tests;

/// <summary>Memory of memtables: what it counts is what it takes.</summary>
public sealed unsafe class ArenaTests
{
    [Theory, InlineData(100), InlineData(5000), InlineData(200_000), InlineData((1 << 20) + 100)]
    public void What_it_says_to_use_is_about_what_it_takes_from_the_system(int pieceBytes)
    {
        const long Total = 64 << 20;
        var arena = new Arena();
        for (var handedOut = 0L; handedOut < Total; handedOut += pieceBytes) new Span<byte>(arena.Allocate(pieceBytes), pieceBytes).Fill(1);
        Assert.InRange(arena.TakenBytes, arena.UsedBytes, arena.UsedBytes + (2 << 20));
        Assert.InRange(arena.TakenBytes, Total, Total + (Total / 6) + (2 << 20));
        arena.Free();
    }
}
