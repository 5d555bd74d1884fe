using Ashlar.Simulation;

namespace Ashlar.Files.Tests;

/// <summary>Creating, deleting, renaming and collecting, with marks before and after each; content comes, goes and comes again.</summary>
sealed class FileWorkload
{
    readonly List<(Func<FileRig, Task> Run, Action<FileTree> Apply)> operations = [];

    public FileWorkload(ulong seed, int length)
    {
        var random = new SeededRandom(seed);
        var tree = new FileTree();
        Add(rig => rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/d")), after => after["/d"] = "");
        Add(rig => rig.PutAsync("/d/i/f", [1], Deep), after => after["/d/i/f"] = Hash([1]));
        Delete(Put("/d/f", 1));
        while (operations.Count < length)
        {
            var path = random.Pick<string>(["/f", "/d/f", "/g"]);
            var other = random.Pick<string>(["/f", "/d/f", "/g"]);
            switch (random.Next(12))
            {
                case 0 or 1 or 2:
                    Put(path, (ulong)random.Next(3));
                    break;
                case 3 when tree.ContainsKey(path):
                    Delete(path);
                    break;
                case 4 when tree.TryGetValue(path, out var moved) && other != path:
                    Add(
                        rig => rig.Store.RenameFileAsync(rig.Customer, FilePath.Parse(path), FilePath.Parse(other), mayReplace: true),
                        after =>
                        {
                            after.Remove(path);
                            after[other] = moved;
                        });
                    break;
                case 5:
                    Add(GiveUpAsync, _ => { });
                    break;
                case 6:
                    Add(rig => new Collector(CollectorStore(rig.Store), rig.Nodes, FileRig.NoPeriods).RunAsync(), _ => { });
                    break;
                case 8:
                    var deep = random.Pick<string>(["/d/i/f", "/d/i/g"]);
                    if (tree.ContainsKey(deep)) Delete(deep);
                    else Add(rig => rig.PutAsync(deep, [1], Deep), after => after[deep] = Hash([1]));
                    break;
                case 9 when tree.TryGetValue(path, out var source):
                    var to = random.Pick<string>(["/f", "/d/f", "/d/i/f", "/g"]);
                    var copy = new CopyFileOptions { Condition = CommitCondition.Replace, CreateParents = true };
                    Add(
                        rig => rig.Files.CopyFileAsync(rig.Customer, FilePath.Parse(path), FilePath.Parse(to), copy),
                        after => after[to] = source);
                    break;
                case 10:
                    byte[] parts = [.. FileRig.Content(5000, 3), .. FileRig.Content(6000, 1)];
                    Add(rig => PutPartsAsync(rig, path, parts, isCompleted: true), after => after[path] = Hash(parts));
                    break;
                case 11:
                    Add(rig => PutPartsAsync(rig, path, FileRig.Content(9000, 4), isCompleted: false), _ => { });
                    break;
                case 7 when random.OneIn(2):
                    Add(rig => rig.PutAsync(path, [(byte)length], Replace), after => after[path] = Hash([(byte)length]));
                    break;
            }
        }

        // An implicit directory is there as long as something is in it, in every state.
        static void Settle(FileTree after)
        {
            if (after.Keys.Any(key => key.StartsWith("/d/i/", StringComparison.Ordinal))) after["/d/i"] = "";
            else after.Remove("/d/i");
        }

        // The tree as it will be decides which operations make sense.
        void Add(Func<FileRig, Task> run, Action<FileTree> apply)
        {
            void ApplyAndSettle(FileTree after)
            {
                apply(after);
                Settle(after);
            }

            ApplyAndSettle(tree);
            operations.Add((run, ApplyAndSettle));
        }

        string Put(string path, ulong content)
        {
            byte[] bytes = [.. FileRig.Content(5000, content), .. FileRig.Content(5000, 1)];
            Add(rig => rig.PutAsync(path, bytes, Replace), after => after[path] = Hash(bytes));
            return path;
        }

        void Delete(string path) =>
            Add(rig => rig.Files.DeleteDirectoryAsync(rig.Customer, FilePath.Parse(path)), after => after.Remove(path));
    }

    static CreateFileOptions Replace { get; } = new() { Condition = CommitCondition.Replace };

    static CreateFileOptions Deep { get; } = new() { Condition = CommitCondition.Replace, CreateParents = true };

    /// <summary>How the collector sees the metadata, for bugs of it.</summary>
    public Func<IMetadataStore, IMetadataStore> CollectorStore { get; init; } = store => store;

    /// <summary>The trees that a crash may leave, by what was marked.</summary>
    public (FileTree Before, FileTree After) Expected(IReadOnlyList<object> marks)
    {
        var (before, begun) = (new FileTree(), false);
        foreach (var mark in marks.Cast<(bool IsDone, int Operation)>())
        {
            begun = !mark.IsDone;
            if (mark.IsDone) operations[mark.Operation].Apply(before);
        }

        var after = new FileTree(before);
        if (begun) operations[((ValueTuple<bool, int>)marks[^1]).Item2].Apply(after);
        return (before, after);
    }

    public async Task RunAsync(FileRig rig)
    {
        for (var i = 0; i < operations.Count; i++)
        {
            rig.Disk.Mark((false, i));
            await operations[i].Run(rig);
            rig.Disk.Mark((true, i));
        }
    }

    static async Task PutPartsAsync(FileRig rig, string path, byte[] content, bool isCompleted)
    {
        var intent = await rig.Files.BeginPartsAsync(rig.Customer, FilePath.Parse(path));
        // The second first, and once more.
        await rig.Files.PutPartAsync(intent.Token, 2, new MemoryStream(FileRig.Content(5000, 9)));
        await rig.Files.PutPartAsync(intent.Token, 2, new MemoryStream(content[5000..]));
        var first = await rig.Files.PutPartAsync(intent.Token, 1, new MemoryStream(content[..5000]));
        if (!isCompleted) return;
        var second = (await rig.Files.ListPartsAsync(rig.Customer, intent.Token.Id))[1];
        await rig.Files.CompletePartsAsync(
            intent.Token, [(1, first.Tag), (2, second.Tag)], new() { Condition = CommitCondition.Replace });
    }

    // An upload that comes as far as its first copy, and is never heard of again.
    static async Task GiveUpAsync(FileRig rig)
    {
        var content = FileRig.Content(5000, 9);
        var id = UploadId.Draw(rig.Clock, rig.Options.Entropy);
        var intent = await rig.Store.OpenIntentAsync(rig.Customer, id, FilePath.Parse("/x"), "a test", FileRig.Lease);
        var pin = (await rig.Store.PinAsync(intent.Token, [new(ContentHash.Of(content), content.Length)]))[0];
        rig.Nodes.Put(new(2), rig.Customer, pin.Name, content);
        // Sometimes the lease ends before the next collection, and sometimes not.
        rig.Clock.Advance(FileRig.Lease / 2);
    }

    static string Hash(byte[] content) => ContentHash.Of(content).ToString();
}
