using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Files.Tests.Repair;

/// <summary>
/// Files come and go while copies rot and are lost, and nodes are given up, come back and are emptied: whatever looks after copies does so
/// in between. Of one block no more than one copy is wrong at a time.
/// </summary>
sealed class RepairWorkload(ulong seed, int length)
{
    readonly SortedDictionary<FilePath, byte[]> files = [];

    /// <summary>While copies are looked after, for bugs of that.</summary>
    public Action<bool> IsRepairing { get; init; } = _ => { };

    /// <summary>What a crash may leave, by what was marked.</summary>
    public static Expectation Expected(IReadOnlyList<object> marks)
    {
        var said = marks.Cast<Said>().ToArray();
        var before = said.LastOrDefault(mark => mark.IsDone)?.Files ?? [];
        return said is [.., var last] ? new(before, last.Files, !last.IsDone && last.HarmsACopy) : new(before, before, false);
    }

    public async Task RunAsync(RepairRig rig)
    {
        var random = new SeededRandom(seed);
        await PutAsync("/a", 0);
        await PutAsync("/b", 1);
        for (var step = 0; step < length; step++)
        {
            switch (random.Next(9))
            {
                case 0:
                    await PutAsync(random.Pick<string>(["/a", "/b", "/c"]), random.Next(4));
                    break;
                case 1 when files.Count > 1:
                    var path = random.Pick<FilePath>([.. files.Keys]);
                    await SayAsync(() => rig.Files.DeleteDirectoryAsync(RepairRig.Customer, path), after => after.Remove(path));
                    break;
                case 2:
                    await SayAsync(rig.CollectAsync);
                    await SayAsync(rig.CollectAsync);
                    break;
                case 3:
                    await LookAfterAsync(RotAsync, harmsACopy: true);
                    break;
                case 4:
                    await LookAfterAsync(LoseAsync, harmsACopy: true);
                    break;
                case 5 or 6:
                    await LookAfterAsync(GiveUpAsync);
                    break;
                case 7:
                    await LookAfterAsync(EmptyAsync);
                    break;
                case 8:
                    await LookAfterAsync(rig.SweepAsync);
                    break;
            }
        }

        Task PutAsync(string path, int content)
        {
            var bytes = FileRig.Content(5000 + (20_000 * content), (ulong)content);
            return SayAsync(
                () => rig.Files.CreateFileAsync(
                    RepairRig.Customer, FilePath.Parse(path), new MemoryStream(bytes), new() { Condition = CommitCondition.Replace }),
                after => after[FilePath.Parse(path)] = bytes);
        }

        async Task SayAsync(Func<Task> act, Action<SortedDictionary<FilePath, byte[]>>? apply = null, bool harmsACopy = false)
        {
            var after = new SortedDictionary<FilePath, byte[]>(files);
            apply?.Invoke(after);
            rig.Disk.Mark(new Said(false, after, harmsACopy));
            await act();
            rig.Disk.Mark(new Said(true, after, harmsACopy));
            files.Clear();
            foreach (var (path, content) in after) files.Add(path, content);
        }

        async Task LookAfterAsync(Func<Task> act, bool harmsACopy = false)
        {
            IsRepairing(true);
            await SayAsync(act, harmsACopy: harmsACopy);
            IsRepairing(false);
        }

        async Task<(BlockLocations Row, NodeId Node)> PickAsync()
        {
            var row = random.Pick<BlockLocations>([.. await rig.BlocksAsync()]);
            return (row, random.Pick<NodeId>([.. row.Nodes]));
        }

        async Task RotAsync()
        {
            var (row, node) = await PickAsync();
            using (var file = rig.Disk.Open(rig.PathOf(node, row.Id), FileOpenMode.Existing))
            {
                var one = new byte[1];
                var at = random.Next(row.LengthBytes);
                file.Read(one, at);
                one[0] ^= 4;
                file.Write(one, at);
                file.Sync();
            }

            await rig.ScrubAsync();
            await rig.Repair.RunAsync();
        }

        async Task LoseAsync()
        {
            var (row, node) = await PickAsync();
            rig.Disk.Delete(rig.PathOf(node, row.Id));
            await rig.Care.CompareAsync(node);
            await rig.Repair.RunAsync();
        }

        // A node is taken for gone, and is there again.
        async Task GiveUpAsync()
        {
            var node = random.Pick<DirectoryNode>([.. rig.Nodes]);
            rig.Known.Detach(node.Id);
            rig.Known.MarkGone(node.Id);
            await rig.Care.ReplaceLostAsync(node.Id);
            rig.Known.Remove(node.Id);
            rig.Known.Add(node);
            await rig.Care.CompareAsync(node.Id);
            await rig.Repair.RunAsync();
        }

        async Task EmptyAsync()
        {
            var node = random.Pick<DirectoryNode>([.. rig.Nodes]).Id;
            rig.Known.SetDraining(node, true);
            await rig.Care.DrainAsync(node);
            rig.Known.SetDraining(node, false);
        }
    }

    /// <summary>What a crash may leave.</summary>
    /// <param name="Before">The files before the last act.</param>
    /// <param name="After">Those after it.</param>
    /// <param name="MayLackACopy">Whether the last act has harmed a copy of one block.</param>
    public sealed record Expectation(
        SortedDictionary<FilePath, byte[]> Before, SortedDictionary<FilePath, byte[]> After, bool MayLackACopy);

    sealed record Said(bool IsDone, SortedDictionary<FilePath, byte[]> Files, bool HarmsACopy);
}
