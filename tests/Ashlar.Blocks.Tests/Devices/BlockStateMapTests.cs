using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Blocks.Tests.Devices;

public sealed class BlockStateMapTests
{
    [Theory, Seeds(count: 20)]
    public void The_map_agrees_with_one_state_per_block(ulong seed)
    {
        var random = new SeededRandom(seed);
        var model = new BlockState[1 + random.Next(3 * BlockStateMap.BlocksPerPage)];
        var map = new BlockStateMap(model.Length);
        for (var step = 0; step < 300; step++)
        {
            var start = random.Next(model.Length);
            var count = random.Next(1 + Math.Min(model.Length - start, random.OneIn(3) ? model.Length : 70));
            var range = model.AsSpan(start, count);
            switch (random.Next(4))
            {
                case 0:
                    map.MarkUsed(start, count);
                    foreach (ref var state in range) state = state == BlockState.Bad ? state : BlockState.Used;
                    break;
                case 1:
                    map.MarkTrimmed(start, count);
                    range.Replace(BlockState.Used, BlockState.Trimmed);
                    break;
                case 2 when random.OneIn(4):
                    count = Math.Min(count, 3);
                    map.MarkBad(start, count);
                    model.AsSpan(start, count).Fill(BlockState.Bad);
                    break;
                default:
                    map.Replace(start, count);
                    range.Replace(BlockState.Bad, BlockState.Free);
                    break;
            }

            var block = random.Next(model.Length);
            var most = model.Length - block;
            var run = map.RunFrom(block, most, out var first);
            var expected = model.AsSpan(block).IndexOfAnyExcept(model[block]);
            Assert.Equal((model[block], expected < 0 ? most : expected), (first, run));
            var bad = model.AsSpan(block).IndexOf(BlockState.Bad);
            Assert.Equal(bad < 0 ? -1 : block + bad, map.FindBad(block, most));
        }
        Assert.Equal(model, Enumerable.Range(0, model.Length).Select(block => map[block]));
        Assert.Equal(
            new BlockStateCounts(Count(BlockState.Free), Count(BlockState.Used), Count(BlockState.Trimmed), Count(BlockState.Bad)),
            map.Count());

        long Count(BlockState state) => model.LongCount(other => other == state);
    }

    [Fact]
    public void A_page_is_marked_only_when_a_state_in_it_changes()
    {
        var map = new BlockStateMap(3 * BlockStateMap.BlocksPerPage);
        map.MarkUsed(BlockStateMap.BlocksPerPage - 1, 2);
        Assert.Equal([true, true, false], Taken());
        Assert.Equal([false, false, false], Taken());
        map.MarkUsed(0, 0);
        map.MarkUsed(BlockStateMap.BlocksPerPage, 1); // Used already.
        map.MarkTrimmed(2 * BlockStateMap.BlocksPerPage, 5); // Never written.
        Assert.Equal([false, false, false], Taken());
        map.MarkTrimmed(BlockStateMap.BlocksPerPage, 1);
        Assert.Equal([false, true, false], Taken());

        bool[] Taken() => [.. Enumerable.Range(0, map.PageCount).Select(map.TakeChanged)];
    }
}
