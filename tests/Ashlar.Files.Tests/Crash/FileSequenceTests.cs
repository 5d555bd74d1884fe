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
        var (disk, clock, tree) = (new SimulatedFileSystem(), new SimulatedClock(), new ModelTree());
        var rig = new FileRig(disk, clock, seed: seed);
        rig.Customer = (await rig.Store.CreateCustomerAsync("customer", Quota.None)).Id;
        for (var i = 0; i < TestTier.Choose(80, 400); i++)
        {
            var path = RandomPath(random);
            switch (random.Next(18))
            {
                case 0 or 1 or 2 or 3:
                    var content = FileRig.Content(random.Pick([0, 10, 5000, 20_000]), (ulong)random.Next(4));
                    var mayReplace = random.OneIn(2);
                    var makesParents = random.OneIn(2);
                    var create = new CreateFileOptions
                    {
                        Condition = mayReplace ? CommitCondition.Replace : CommitCondition.MustNotExist,
                        CreateParents = makesParents,
                    };
                    await AgreeAsync(
                        () => rig.PutAsync(path, content, create),
                        tree.MayMake(path, makesParents)
                            && (!tree.TryGetValue(path, out var present) || (mayReplace && present.Length > 0)),
                        () => tree.Make(path, ContentHash.Of(content).ToString()));
                    break;
                case 4 or 5:
                    await AgreeAsync(
                        () => rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse(path)),
                        tree.MayMake(path, false) && !tree.ContainsKey(path),
                        () => tree.Make(path, ""));
                    break;
                case 6 or 7 or 8:
                    await AgreeAsync(
                        () => rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse(path)),
                        tree.ContainsKey(path) && !tree.HasChildren(path),
                        () => tree.Take(path));
                    break;
                case 9:
                    var to = RandomPath(random);
                    var isFile = tree.TryGetValue(path, out var moved) && moved.Length > 0;
                    await AgreeAsync(
                        () => rig.Store.RenameFileAsync(rig.Customer, FilePath.Parse(path), FilePath.Parse(to)),
                        isFile && (to == path || (tree.MayMake(to, false) && !tree.ContainsKey(to))),
                        () =>
                        {
                            tree.Make(to, moved!);
                            if (to != path) tree.Take(path);
                        });
                    break;
                case 14:
                    var target = RandomPath(random);
                    var isSource = tree.TryGetValue(path, out var copied) && copied.Length > 0;
                    var copy = new CopyFileOptions { Condition = CommitCondition.Replace, CreateParents = true };
                    await AgreeAsync(
                        () => rig.Files.CopyFileAsync(rig.Customer, FilePath.Parse(path), FilePath.Parse(target), copy),
                        isSource && tree.MayMake(target, true) && (!tree.TryGetValue(target, out var old) || old.Length > 0),
                        () => tree.Make(target, copied!));
                    break;
                case 15:
                    if (path.IndexOf('/', 1) < 0) break;
                    await AgreeAsync(
                        () => rig.Files.ReleaseDirectoryAsync(rig.Customer, FilePath.Parse(path)),
                        tree.TryGetValue(path, out var released) && released.Length == 0,
                        () => tree.Release(path));
                    break;
                case 16:
                    var parts = (FileRig.Content(5000, (ulong)random.Next(4)), FileRig.Content(20_000, (ulong)random.Next(4)));
                    byte[] whole = [.. parts.Item1, .. parts.Item2];
                    await AgreeAsync(
                        () => PutPartsAsync(rig, path, parts.Item1, parts.Item2),
                        tree.MayMake(path, true) && !tree.ContainsKey(path),
                        () => tree.Make(path, ContentHash.Of(whole).ToString()));
                    break;
                case 17:
                    var abandoned = await rig.Files.BeginPartsAsync(rig.Customer, FilePath.Parse("/x"));
                    await rig.Files.PutPartAsync(abandoned.Token, 1, new MemoryStream(FileRig.Content(5000, (ulong)random.Next(4))));
                    if (random.OneIn(2)) await rig.Files.AbortPartsAsync(abandoned.Token);
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

    static async Task PutPartsAsync(FileRig rig, string path, byte[] first, byte[] second)
    {
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, FilePath.Parse(path), new() { CreateParents = true });
        var parts = await Task.WhenAll(
            rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(first)),
            rig.Files.PutPartAsync(intent.Token, 2, new MemoryStream(second)));
        await rig.Files.CompletePartsAsync(intent.Token, [.. parts.Select(part => (part.Number, part.Tag))]);
    }

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

    /// <summary>A tree with directories that were made for what is in them.</summary>
    sealed class ModelTree : FileTree
    {
        readonly HashSet<string> isImplicit = [];

        public bool HasChildren(string path) => Keys.Any(key => key.StartsWith(path + "/", StringComparison.Ordinal));

        public bool MayMake(string path, bool makesParents)
        {
            for (var parent = ParentOf(path); parent.Length > 0; parent = ParentOf(parent))
            {
                if (TryGetValue(parent, out var present)) return present.Length == 0;
                if (!makesParents || ParentOf(parent).Length == 0) return false;
            }

            return true;
        }

        public void Make(string path, string content)
        {
            this[path] = content;
            for (var parent = ParentOf(path); parent.Length > 0 && !ContainsKey(parent); parent = ParentOf(parent))
            {
                this[parent] = "";
                isImplicit.Add(parent);
            }
        }

        public void Take(string path)
        {
            Remove(path);
            isImplicit.Remove(path);
            var parent = ParentOf(path);
            if (isImplicit.Contains(parent) && !HasChildren(parent)) Take(parent);
        }

        public void Release(string path)
        {
            isImplicit.Add(path);
            if (!HasChildren(path)) Take(path);
        }

        static string ParentOf(string path) => path[..path.LastIndexOf('/')];
    }
}
