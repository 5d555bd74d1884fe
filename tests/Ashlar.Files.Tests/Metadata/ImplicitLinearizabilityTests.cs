using System.Diagnostics;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

/// <summary>An implicit directory is there exactly as long as something is in it, however calls on it overlap.</summary>
public sealed class ImplicitLinearizabilityTests
{
    const int Files = 3;

    [Fact]
    public async Task Concurrent_calls_on_an_implicit_directory_have_an_order()
    {
        var seed = TestSeeds.First(nameof(ImplicitLinearizabilityTests));
        await using var rig = await FileRig.CreateAsync();
        await rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/b"));
        for (var round = 0UL; round < TestTier.Choose(60UL, 3000UL); round++)
            Assert.Equal(Linearizability.Yes, Check(await RecordAsync(rig, rig.Store, $"/b/d{round}", seed + round)));
        StoreInvariants.Check(rig.Store, rig.Nodes);
    }

    [Theory]
    [InlineData("looked for others before the latch")]
    [InlineData("removed in a second transaction")]
    public async Task A_planted_bug_is_found(string bug)
    {
        await using var rig = await FileRig.CreateAsync();
        await rig.Files.CreateDirectoryAsync(rig.Customer, FilePath.Parse("/b"));
        using var one = new SemaphoreSlim(1);
        var store = Intercepted<IMetadataStore>.Create(rig.Store, planted: (nameof(INamespace.DeleteFileAsync), DeleteAsync));
        for (var round = 0UL; round < 500; round++)
        {
            if (Check(await RecordAsync(rig, store, $"/b/d{round}", round)) == Linearizability.No) return;
        }

        Assert.Fail("not found");

        // The file goes as it should. The directory is thought of apart from it.
        async Task DeleteAsync(CustomerId customer, FilePath path, string? ifTag, CancellationToken cancellationToken)
        {
            var isLast = bug[0] == 'l' && await IsAloneAsync();
            await one.WaitAsync(cancellationToken);
            try
            {
                var entry = await rig.Store.StatAsync(customer, path, cancellationToken) ?? throw new PathNotFoundException(path);
                rig.Store.Rows.Delete(MetadataKeys.File(customer, path));
                rig.Store.Rows.Delete(MetadataKeys.FileRow(customer, entry.FileId));
            }
            finally
            {
                one.Release();
            }

            await Task.Yield();
            if (bug[0] == 'r') isLast = await IsAloneAsync();
            await Task.Yield();
            if (isLast) rig.Store.Rows.Delete(MetadataKeys.Directory(customer, path.Parent));

            async Task<bool> IsAloneAsync() =>
                (await rig.Store.ListAsync(customer, new() { Prefix = path.Parent.ChildPrefix }, cancellationToken))
                    .Entries.All(other => other.Path == path);
        }
    }

    static Linearizability Check(List<RecordedCall<Call>> history) =>
        new LinearizabilityChecker<int, Call>(0, Step).Check(history);

    // All that there is, is the files; the directory follows from them.
    static bool Step(int files, Call call, out int next)
    {
        next = files;
        var bit = 1 << call.File;
        switch (call.Kind)
        {
            case CallKind.Create:
                if (call.Succeeded) next = files | bit;
                return call.Succeeded == ((files & bit) == 0);
            case CallKind.CreateWithin:
                if (call.Succeeded) next = files | bit;
                return call.Succeeded == (files != 0 && (files & bit) == 0);
            case CallKind.Delete:
                if (call.Succeeded) next = files & ~bit;
                return call.Succeeded == ((files & bit) != 0);
            case CallKind.Stat:
                return call.Succeeded == (files != 0);
            default:
                return call.Listed == files;
        }
    }

    static async Task<List<RecordedCall<Call>>> RecordAsync(FileRig rig, IMetadataStore store, string directory, ulong seed)
    {
        var history = new List<RecordedCall<Call>>();
        var path = FilePath.Parse(directory);
        var lastId = seed << 20;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            var random = SeededRandom.For(seed, $"client {client}");
            for (var i = 0; i < 6; i++)
            {
                var kind = random.Pick([CallKind.Create, CallKind.Create, CallKind.CreateWithin, CallKind.Delete, CallKind.Delete,
                    CallKind.Delete, CallKind.Stat, CallKind.List]);
                var call = new Call(kind, random.Next(Files), true, 0);
                var file = FilePath.Parse($"{directory}/{call.File}");
                var begun = Stopwatch.GetTimestamp();
                try
                {
                    switch (kind)
                    {
                        case CallKind.Create or CallKind.CreateWithin:
                            var commit = new FileCommit
                            {
                                Path = file,
                                Tag = "",
                                Inline = new byte[1],
                                CreateParents = kind == CallKind.Create,
                            };
                            await store.CommitInlineAsync(rig.Customer, Interlocked.Increment(ref lastId), commit);
                            break;
                        case CallKind.Delete:
                            await store.DeleteFileAsync(rig.Customer, file);
                            break;
                        case CallKind.Stat:
                            call = call with { Succeeded = await store.StatAsync(rig.Customer, path) is not null };
                            break;
                        default:
                            var page = await store.ListAsync(rig.Customer, new() { Prefix = path.ChildPrefix });
                            call = call with { Listed = page.Entries.Sum(entry => 1 << int.Parse(entry.Path.Name)) };
                            break;
                    }
                }
                catch (FileStoreException)
                {
                    call = call with { Succeeded = false };
                }

                lock (history) history.Add(new(call, begun, Stopwatch.GetTimestamp()));
            }
        })));
        return history;
    }

    enum CallKind
    {
        Create = 0,
        CreateWithin,
        Delete,
        Stat,
        List,
    }

    sealed record Call(CallKind Kind, int File, bool Succeeded, int Listed);
}
