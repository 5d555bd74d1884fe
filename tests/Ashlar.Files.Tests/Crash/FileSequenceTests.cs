using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

/// <summary>Long random sequences against a model in memory, with power lost between operations and everything opened anew.</summary>
public sealed class FileSequenceTests
{
    static readonly string[] Names = ["a", "b", "c"];

    [Theory, Seeds(count: 4)]
    public async Task A_sequence_ends_as_the_model_does(ulong seed)
    {
        var random = new SeededRandom(seed);
        var (disk, clock, tree) = (new SimulatedFileSystem(), new SimulatedClock(), new FileTree());
        var rig = new FileRig(disk, clock, seed: seed);
        rig.Customer = (await rig.Store.CreateCustomerAsync("customer", Quota.None)).Id;
        for (var i = 0; i < TestTier.Choose(80, 400); i++)
        {
            var path = RandomPath(random);
            switch (random.Next(14))
            {
                case 0 or 1 or 2 or 3:
                    var content = FileRig.Content(random.Pick([0, 10, 5000, 20_000]), (ulong)random.Next(4));
                    var mayReplace = random.OneIn(2);
                    var create = new CreateFileOptions { Condition = mayReplace ? CommitCondition.Replace : CommitCondition.MustNotExist };
                    await AgreeAsync(
                        () => rig.PutAsync(path, content, create),
                        HasParent(tree, path) && (!tree.TryGetValue(path, out var present) || (mayReplace && present.Length > 0)),
                        () => tree[path] = ContentHash.Of(content).ToString());
                    break;
                case 4 or 5:
                    await AgreeAsync(
                        () => rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse(path)),
                        HasParent(tree, path) && !tree.ContainsKey(path),
                        () => tree[path] = "");
                    break;
                case 6 or 7 or 8:
                    await AgreeAsync(
                        () => rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse(path)),
                        tree.ContainsKey(path) && !tree.Keys.Any(key => key.StartsWith(path + "/", StringComparison.Ordinal)),
                        () => tree.Remove(path));
                    break;
                case 9:
                    var to = RandomPath(random);
                    var isFile = tree.TryGetValue(path, out var moved) && moved.Length > 0;
                    await AgreeAsync(
                        () => rig.Store.RenameFileAsync(rig.Customer, FilePath.Parse(path), FilePath.Parse(to)),
                        isFile && (to == path || (HasParent(tree, to) && !tree.ContainsKey(to))),
                        () =>
                        {
                            tree.Remove(path);
                            tree[to] = moved!;
                        });
                    break;
                case 10:
                    var intent = await rig.Store.OpenIntentAsync(
                        rig.Customer, random.NextUInt64() | 1, FilePath.Parse("/x"), "gone", FileRig.Lease);
                    await rig.Store.PinAsync(intent.Token, [new(ContentHash.Of(FileRig.Content(5000, (ulong)random.Next(4))), 5000)]);
                    break;
                case 11:
                    clock.Advance(FileRig.Lease / 2);
                    await rig.Collector.RunAsync();
                    break;
                case 12:
                    Assert.Equal(tree, await FileTree.ReadAsync(rig));
                    break;
                case 13:
                    await rig.DisposeAsync();
                    disk = disk.LosePower(random.NextUInt64());
                    rig = new FileRig(disk, clock, seed: random.NextUInt64()) { Customer = rig.Customer };
                    StoreInvariants.Check(rig.Store, rig.Nodes);
                    Assert.Equal(tree, await FileTree.ReadAsync(rig));
                    break;
            }
        }

        await rig.DrainAsync();
        StoreInvariants.CheckNothingIsLeft(rig.Store, rig.Nodes);
        Assert.Equal(tree, await FileTree.ReadAsync(rig));
        await rig.DisposeAsync();
    }

    static string RandomPath(SeededRandom random)
    {
        var path = "";
        for (var depth = random.Next(1, 4); depth > 0; depth--) path += "/" + random.Pick(Names);
        return path;
    }

    static bool HasParent(FileTree tree, string path) =>
        path.LastIndexOf('/') is 0 || (tree.TryGetValue(path[..path.LastIndexOf('/')], out var parent) && parent.Length == 0);

    static async Task AgreeAsync(Func<Task> act, bool succeeds, Action apply)
    {
        try
        {
            await act();
            Assert.True(succeeds, "the model says that it fails");
            apply();
        }
        catch (FileStoreException failure)
        {
            Assert.False(succeeds, $"the model says that it succeeds: {failure.Message}");
        }
    }
}
