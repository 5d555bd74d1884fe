using System.Diagnostics;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Files.Tests;

/// <summary>FILE-5: concurrent calls on one directory are explained by one order of them, listings included.</summary>
public sealed class NamespaceLinearizabilityTests
{
    const int Files = 3;

    [Fact]
    public async Task Concurrent_creates_deletes_and_listings_have_an_order()
    {
        var seed = TestSeeds.First(nameof(NamespaceLinearizabilityTests));
        await using var rig = await FileRig.CreateAsync();
        for (var round = 0UL; round < TestTier.Choose(60UL, 3000UL); round++)
            Assert.Equal(Linearizability.Yes, Check(await RecordAsync(rig, rig.Store, $"/d{round}", seed + round)));
    }

    [Fact]
    public async Task A_directory_that_goes_while_something_is_made_in_it_is_found()
    {
        await using var rig = await FileRig.CreateAsync();
        // Looked at, and deleted after that, as stores do that have no constraint.
        var store = Intercepted<IMetadataStore>.Create(rig.Store, planted: (nameof(INamespace.DeleteDirectoryAsync), DeleteAsync));
        for (var round = 0UL; round < 500; round++)
        {
            if (Check(await RecordAsync(rig, store, $"/d{round}", round)) == Linearizability.No) return;
        }

        Assert.Fail("not found");

        async Task DeleteAsync(CustomerId customer, FilePath path, CancellationToken cancellationToken)
        {
            var page = await rig.Store.ListAsync(customer, new() { Prefix = path.ChildPrefix }, cancellationToken);
            if (page.Entries.Count > 0) throw new DirectoryNotEmptyException(path);
            if (await rig.Store.StatAsync(customer, path, cancellationToken) is null) throw new PathNotFoundException(path);
            await Task.Yield();
            await rig.Store.Rows.DeleteAsync(MetadataKeys.Directory(customer, path), cancellationToken: cancellationToken);
        }
    }

    static Linearizability Check(List<RecordedCall<Call>> history) =>
        new LinearizabilityChecker<(bool HasDirectory, int Files), Call>((false, 0), Step).Check(history);

    // The directory is there or not, and so is each of its files.
    static bool Step((bool HasDirectory, int Files) state, Call call, out (bool HasDirectory, int Files) next)
    {
        next = state;
        var (has, bit) = (state.HasDirectory, 1 << call.File);
        switch (call.Kind)
        {
            case CallKind.MakeDirectory:
                next = (true, state.Files);
                return call.Succeeded == !has && (call.Succeeded || has);
            case CallKind.DeleteDirectory:
                if (call.Succeeded) next = (false, 0);
                return call.Succeeded == (has && state.Files == 0);
            case CallKind.Create:
                if (call.Succeeded) next = (has, state.Files | bit);
                return call.Succeeded == (has && (state.Files & bit) == 0);
            case CallKind.Delete:
                if (call.Succeeded) next = (has, state.Files & ~bit);
                return call.Succeeded == ((state.Files & bit) != 0);
            default:
                return call.Listed == state.Files;
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
                var call = new Call((CallKind)random.Next(5), random.Next(Files), false, 0);
                var file = FilePath.Parse($"{directory}/{call.File}");
                var begun = Stopwatch.GetTimestamp();
                try
                {
                    switch (call.Kind)
                    {
                        case CallKind.MakeDirectory:
                            await store.CreateDirectoryAsync(rig.Customer, path);
                            break;
                        case CallKind.DeleteDirectory:
                            await store.DeleteDirectoryAsync(rig.Customer, path);
                            break;
                        case CallKind.Create:
                            var commit = new FileCommit { Path = file, Tag = "", Inline = new byte[1] };
                            await store.CommitInlineAsync(rig.Customer, Interlocked.Increment(ref lastId), commit);
                            break;
                        case CallKind.Delete:
                            await store.DeleteFileAsync(rig.Customer, file);
                            break;
                        default:
                            var page = await store.ListAsync(rig.Customer, new() { Prefix = path.ChildPrefix });
                            call = call with { Listed = page.Entries.Sum(entry => 1 << int.Parse(entry.Path.Name)) };
                            break;
                    }

                    call = call with { Succeeded = true };
                }
                catch (FileStoreException)
                {
                    // Answered with no.
                }

                lock (history) history.Add(new(call, begun, Stopwatch.GetTimestamp()));
            }
        })));
        return history;
    }

    enum CallKind
    {
        MakeDirectory = 0,
        DeleteDirectory,
        Create,
        Delete,
        List,
    }

    sealed record Call(CallKind Kind, int File, bool Succeeded, int Listed);
}
