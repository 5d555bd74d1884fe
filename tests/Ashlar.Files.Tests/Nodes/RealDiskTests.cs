using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>A node on the machine's own disk does what one on a simulated disk does.</summary>
public sealed class RealDiskTests
{
    [Fact]
    public async Task A_node_on_a_real_disk_keeps_what_it_is_given()
    {
        using var directory = TemporaryDirectory.OnDisk();
        var (root, clock) = (directory["node"], new SimulatedClock());
        var options = new DirectoryNodeOptions { ReserveBytes = 0, TrashPeriod = TimeSpan.FromHours(1) };
        var id = DirectoryNode.Create(FileSystems.Real, root);
        var contents = Enumerable.Range(0, 6).Select(number => Content(number, 1 + (number * 60_000))).ToArray();
        await using (var node = DirectoryNode.Open(FileSystems.Real, root, id, options, clock))
        {
            Assert.Throws<LockedException>(() => DirectoryNode.Open(FileSystems.Real, root, id));
            await Task.WhenAll(contents.Select(content => node.PutAsync(content)));
            foreach (var content in contents) await node.VerifyAsync(NameOf(content), default);
            await node.RemoveAsync(NameOf(contents[0]), default);
            await node.RemoveAsync(NameOf(contents[1]), default);
            Assert.True(await node.RestoreAsync(NameOf(contents[1]), default));
            await node.AppendAllAsync(contents[5]);
            var health = await node.GetHealthAsync(default);
            Assert.Equal((NodeState.Up, 0L), (health.State, health.Errors));
            Assert.InRange(health.FreeBytes, 1, long.MaxValue);
            Assert.NotEmpty(health.Device);
        }

        await using (var node = DirectoryNode.Open(FileSystems.Real, root, id, options, clock))
        {
            Assert.Empty(FileSystems.Real.List($"{root}/temp"));
            Assert.Equal(5, (await node.ListAllAsync()).Count);
            foreach (var content in contents.Skip(1)) Assert.Equal(content, await node.GetAsync(NameOf(content)));
            clock.Advance(TimeSpan.FromHours(2));
            Assert.Equal(1, await node.PurgeAsync(10, default));
            FileSystems.Real.Rename(root, directory["elsewhere"]);
            FileSystems.Real.CreateDirectory(root);
            await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.GetAsync(NameOf(contents[2])));
            await AssertRefusedAsync(NodeErrorKind.Unavailable, () => node.PutAsync(contents[0]));
        }

        Assert.Equal(
            NodeDirectoryProblem.Missing,
            Assert.Throws<NodeDirectoryException>(() => DirectoryNode.Open(FileSystems.Real, root, id)).Problem);
        Assert.Empty(FileSystems.Real.List(root));
    }
}
