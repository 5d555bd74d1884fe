using Ashlar.Simulation;

namespace Ashlar.Files.Tests.Chunks;

/// <summary>Copies are spread by free space and load, over failure domains.</summary>
public sealed class PlacementTests
{
    const int Rounds = 4000;
    readonly SeededEntropy entropy = new(3);

    [Fact]
    public void Free_space_decides_how_much_a_node_gets()
    {
        var counts = CountFirst(Node(1, 100), Node(2, 100), Node(3, 50));
        Assert.InRange((double)counts[0] / Rounds, 0.35, 0.45);
        Assert.InRange((double)counts[2] / Rounds, 0.15, 0.25);
    }

    [Fact]
    public void A_new_empty_node_does_not_get_everything()
    {
        var counts = CountFirst([.. Enumerable.Range(1, 9).Select(number => Node((ulong)number, 10)), Node(10, 100_000)]);
        Assert.InRange((double)counts[9] / Rounds, 0.12, 0.25); // Twice what another gets.
    }

    [Fact]
    public void Of_two_the_one_with_less_to_do_is_taken()
    {
        var counts = CountFirst(Node(1, 100, queue: 50), Node(2, 100), Node(3, 100));
        Assert.InRange((double)counts[0] / Rounds, 0.07, 0.15); // Only when it is drawn twice.
    }

    [Fact]
    public void Domains_without_a_copy_come_first_and_nodes_that_failed_last()
    {
        PlacementCandidate[] nodes = [Node(1, 100, "a"), Node(2, 100, "a"), Node(3, 1, "b"), Node(4, 100, "c", isAvoided: true)];
        for (var round = 0; round < 200; round++)
        {
            var order = Placement.Order(nodes, ["a"], entropy);
            Assert.Equal(4, order.Distinct().Count());
            Assert.Equal(new NodeId(3), order[0]);
            Assert.Equal(new NodeId(4), order[3]);
        }
    }

    [Fact]
    public void There_may_be_none() => Assert.Empty(Placement.Order([], [], entropy));

    static PlacementCandidate Node(ulong id, long free, string? domain = null, int queue = 0, bool isAvoided = false) =>
        new(new NodeId(id), domain ?? $"{id}", free << 30, queue, isAvoided);

    int[] CountFirst(params PlacementCandidate[] nodes)
    {
        var counts = new int[nodes.Length];
        for (var round = 0; round < Rounds; round++) counts[(int)Placement.Order(nodes, [], entropy)[0].Value - 1]++;
        return counts;
    }
}
