using System.Text;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>A real file system that fills up: puts are refused, reads and deletes go on, puts resume when there is room again.</summary>
public sealed class FullDiskTests(ITestOutputHelper output)
{
    const int VolumeMebibytes = 9, Cycles = 2, Refusals = 20;

    static KeyValueOptions Options { get; } = new()
    {
        MemTableBytes = 128 << 10,
        TableBytes = 128 << 10,
        LogSegmentBytes = 512 << 10,
        BlockCacheBytes = 1 << 20,
        SpaceReserveBytes = 2 << 20,
    };

    // Short values lie in tables, long ones in segments.
    [FullDiskTheory, InlineData(100), InlineData(1000)]
    public void Puts_resume_after_deletes_have_made_room(int valueBytes)
    {
        using var volume = new MemoryVolume(VolumeMebibytes);
        var directory = $"{volume.Path}/store";
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(directory, Options))
        {
            for (var cycle = 0; cycle < Cycles; cycle++)
            {
                var count = Fill(store, model, cycle, valueBytes);
                RequireHolds(store, model);
                foreach (var key in model.Keys.Where(key => !key.EndsWith("77", StringComparison.Ordinal)).ToArray())
                {
                    store.Delete(Encoding.UTF8.GetBytes(key), Durability.Relaxed);
                    model.Remove(key);
                }

                store.Compact();
                output.WriteLine($"cycle {cycle}: {count} values fit, {model.Count} stay");
                Put(store, model, $"after {cycle}", "there is room", Durability.Sync);
                RequireHolds(store, model);
            }
        }

        RequireSound(directory, model);
    }

    [FullDiskTheory, InlineData(100), InlineData(1000)]
    public void Puts_resume_after_somebody_else_has_made_room(int valueBytes)
    {
        using var volume = new MemoryVolume(VolumeMebibytes);
        var directory = $"{volume.Path}/store";
        var ballast = $"{volume.Path}/ballast";
        File.WriteAllBytes(ballast, new byte[3 << 20]);
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(directory, Options))
        {
            Fill(store, model, 0, valueBytes);
            RequireHolds(store, model);
            File.Delete(ballast);
            PutWhenResumed(store, model, "after", "there is room");
            RequireHolds(store, model);
        }

        RequireSound(directory, model);
    }

    [FullDiskTheory, InlineData(1000)]
    public void A_full_disk_can_be_opened_again(int valueBytes)
    {
        using var volume = new MemoryVolume(VolumeMebibytes);
        var directory = $"{volume.Path}/store";
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(directory, Options)) Fill(store, model, 0, valueBytes);
        using (var store = KeyValueStore.Open(directory, Options))
        {
            RequireHolds(store, model);
            foreach (var key in model.Keys) store.Delete(Encoding.UTF8.GetBytes(key), Durability.Relaxed);
            model.Clear();
            store.Compact();
            Put(store, model, "after", "there is room", Durability.Sync);
        }

        RequireSound(directory, model);
    }

    [FullDiskTheory, InlineData(1000)]
    public void A_store_is_opened_on_a_disk_that_others_have_filled_and_deletes(int valueBytes)
    {
        using var volume = new MemoryVolume(VolumeMebibytes);
        var directory = $"{volume.Path}/store";
        var ballast = $"{volume.Path}/ballast";
        File.WriteAllBytes(ballast, new byte[3 << 20]); // As much as the reserve, and more, is given back in the end.
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using (var store = KeyValueStore.Open(directory, Options)) Fill(store, model, 0, valueBytes);
        using (var others = File.Open(ballast, FileMode.Open)) TakeWhatIsFree(others);
        using (var store = KeyValueStore.Open(directory, Options))
        {
            using var others = File.Open(ballast, FileMode.Open);
            TakeWhatIsFree(others);
            RequireHolds(store, model);
            var batch = new WriteBatch { MayUseReserve = true };
            batch.Put("0 deleting"u8, "x"u8);
            store.Write(batch);
            model["0 deleting"] = "x";
            foreach (var key in model.Keys.Skip(1).Take(1000).ToArray())
            {
                store.Delete(Encoding.UTF8.GetBytes(key), Durability.Relaxed);
                model.Remove(key);
                TakeWhatIsFree(others);
            }

            others.SetLength(0);
            PutWhenResumed(store, model, "after", "there is room");
        }

        RequireSound(directory, model);
    }

    static void TakeWhatIsFree(FileStream others)
    {
        var page = new byte[4096];
        others.Seek(0, SeekOrigin.End);
        try
        {
            while (true)
            {
                others.Write(page);
                others.Flush();
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>
    /// Puts until the disk is full; what was acknowledged is in the model. A merge that ends may make room for a few more, so one
    /// refusal is not the end.
    /// </summary>
    static int Fill(KeyValueStore store, SortedDictionary<string, string> model, int cycle, int valueBytes)
    {
        for (int i = 0, refusals = 0; ; i++)
        {
            // Keys come again and again only after many more than fit.
            Assert.True((long)i * valueBytes < 10L * VolumeMebibytes << 20, $"{i} values fit on a disk of {VolumeMebibytes} MiB");
            try
            {
                Put(store, model, $"{(long)i * 7919 % 1_000_003:d7}", $"{cycle}.{i}".PadLeft(valueBytes, '.'), Durability.Relaxed);
            }
            catch (StorageException full)
            {
                Assert.Equal(StorageErrorKind.NoSpace, full.Kind);
                if (++refusals == Refusals) return i + 1 - refusals;
            }
        }
    }

    static void Put(KeyValueStore store, SortedDictionary<string, string> model, string key, string value, Durability durability)
    {
        store.Put(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value), durability);
        model[key] = value;
    }

    // With room for everything a put may still be refused while a step of a merge holds what it was given; it has to be taken when the
    // step has ended, without anything else being done.
    void PutWhenResumed(KeyValueStore store, SortedDictionary<string, string> model, string key, string value)
    {
        var refusals = 0;
        var isTaken = SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    Put(store, model, key, value, Durability.Sync);
                    return true;
                }
                catch (StorageException full) when (full.Kind == StorageErrorKind.NoSpace)
                {
                    refusals++;
                    return false;
                }
            },
            TimeSpan.FromMinutes(1));
        output.WriteLine($"taken after {refusals} refusals");
        Assert.True(isTaken, $"there is room, and a put was refused {refusals} times");
    }

    static void RequireSound(string directory, SortedDictionary<string, string> model)
    {
        using var store = KeyValueStore.Open(directory, Options);
        RequireHolds(store, model);
        Assert.Empty(store.Verify().Problems);
    }

    static void RequireHolds(KeyValueStore store, SortedDictionary<string, string> model)
    {
        using var cursor = store.Scan(KeyRange.All);
        foreach (var (key, value) in model)
        {
            Assert.True(cursor.MoveNext());
            Assert.Equal(key, Encoding.UTF8.GetString(cursor.Key));
            Assert.Equal(value, Encoding.UTF8.GetString(cursor.Value));
        }

        Assert.False(cursor.MoveNext());
    }
}
