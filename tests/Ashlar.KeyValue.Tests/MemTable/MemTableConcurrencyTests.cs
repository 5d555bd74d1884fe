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
}
