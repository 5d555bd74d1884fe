using System.Buffers.Binary;

namespace Ashlar.KeyValue.Tests;

public sealed class MemTableConcurrencyTests
{
    [Fact]
    public async Task A_reader_at_a_sequence_never_finds_what_is_written_after_it()
    {
        const int writes = 200_000;
        var table = new MemTable();
        ulong published = 0;
        var writer = Task.Run(() =>
        {
            var value = new byte[sizeof(ulong)];
            for (ulong sequence = 1; sequence <= writes; sequence++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(value, sequence);
                table.Add("key"u8, sequence, EntryKind.Put, value);
                Volatile.Write(ref published, sequence);
            }
        });
        for (ulong sequence = 0; sequence < writes;)
        {
            sequence = Volatile.Read(ref published);
            if (sequence == 0) continue;
            Assert.True(table.TryFind("key"u8, sequence, out _, out _, out var value));
            Assert.Equal(sequence, BinaryPrimitives.ReadUInt64LittleEndian(value));
        }

        await writer;
        table.Release();
    }

    [Fact]
    public async Task A_reader_misses_nothing_that_was_written_since_all_was_deleted_while_others_write()
    {
        const int Writes = 30_000, Keys = 1000, Period = 200;
        var table = new MemTable();
        ulong published = 0;
        var writer = Task.Run(() =>
        {
            for (ulong sequence = 1; sequence <= Writes; sequence++)
            {
                if (sequence % Period == 0) table.Add(new RangeTombstone([], null, sequence));
                else table.Add(TestStore.Bytes($"{sequence * 7919 % Keys:d4}"), sequence, EntryKind.Put, []);
                Volatile.Write(ref published, sequence);
            }
        });
        for (ulong sequence = 0; sequence < Writes;)
        {
            sequence = Volatile.Read(ref published);
            if (table.Ranges is not { } ranges) continue;
            var walk = new UncoveredIterator(new MemTableIterator(table), [ranges], sequence);
            for (var direction = 0; direction < 2; direction++)
            {
                var seen = 0UL;
                if (direction == 0) walk.SeekToFirst();
                else walk.SeekToLast();
                while (walk.IsValid)
                {
                    seen += walk.Sequence <= sequence ? 1UL : 0;
                    if (direction == 0) walk.Next();
                    else walk.Previous();
                }

                Assert.Equal(sequence % Period, seen);
            }
        }

        await writer;
        table.Release();
    }
}
