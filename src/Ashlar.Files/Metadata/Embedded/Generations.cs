using System.Buffers.Binary;
using Ashlar.KeyValue;
using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Numbers of generations, each drawn once in the life of the store, whoever asks: two blocks of the same content never have one name.
/// </summary>
/// <remarks>A number is reserved, durably, before it is drawn. A crash skips those that were reserved and not drawn.</remarks>
sealed class Generations
{
    const int ReservedAtOnce = 1 << 16;
    const int RowBytes = 1 + sizeof(ulong);

    readonly KeyValueStore store;
    readonly Lock gate = new();
    ulong next, end;

    /// <exception cref="CorruptDataException">The row is damaged.</exception>
    public Generations(KeyValueStore store)
    {
        this.store = store;
        next = end = 1;
        if (store.Get(MetadataKeys.Generations) is not { } row) return;
        var reader = new RowReader(MetadataKeys.Generations, row);
        next = end = reader.UInt64();
        reader.End();
    }

    public ulong Draw()
    {
        lock (gate)
        {
            if (next == end)
            {
                // Once in many: who comes meanwhile waits.
                store.Put(MetadataKeys.Generations, Write(end + ReservedAtOnce));
                end += ReservedAtOnce;
            }

            return next++;
        }
    }

    static byte[] Write(ulong end)
    {
        var row = new byte[RowBytes];
        row[0] = RowReader.Version;
        BinaryPrimitives.WriteUInt64LittleEndian(row.AsSpan(1), end);
        return row;
    }
}
