namespace Ashlar.Volumes.Tests;

/// <summary>Blocks of fragment chunks, taken and given back.</summary>
public sealed class FragmentSpaceTests
{
    [Fact]
    public async Task A_chunk_that_was_given_up_does_not_come_back_by_what_was_read_of_it_before()
    {
        await using var pool = await TestPool.CreateAsync();
        await pool.CreateVolumeAsync("disk", 1 << 20);
        var volume = pool.Pool.Catalogue.Require("disk");
        var fragments = pool.Pool.Parts.Fragments;
        var before = fragments.SettledChunks;
        var places = new List<long>();
        Assert.True(fragments.TryTake(volume, 1, places));
        var chunk = places[0] / MapLayout.BlocksPerChunk;
        Assert.True(fragments.IsKnown(chunk));
        fragments.Release(places);
        Assert.False(fragments.IsKnown(chunk));
        Assert.True(fragments.Offer(volume, chunk, live: 1, before));
        Assert.False(fragments.IsKnown(chunk));
        Assert.True(fragments.Offer(volume, chunk, live: 1, fragments.SettledChunks));
        Assert.True(fragments.IsKnown(chunk));
    }
}
