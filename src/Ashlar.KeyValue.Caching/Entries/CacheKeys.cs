using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace Ashlar.KeyValue.Caching.Entries;

// Keys of a cache in its store: Prefix (UTF-8), one byte of kind, and
//   1  entry    the key in UTF-8, up to 400 bytes, and no more than the store takes
//   2  entry    SHA-256 of the key in UTF-16 (little-endian), where it is longer in UTF-8, or has none: halves of surrogate pairs
//   3  record of the eviction queue (QueueRecord)
//   4  the mark that the queue has a record of every entry
// Every prefix ends before the first control character, so no cache is within the range of another.
sealed class CacheKeys
{
    /// <summary>No key of a cache is longer.</summary>
    public const int MaxBytes = KeyValueCacheOptions.KeyPrefixLimitBytes + 1 + MaxTextBytes;

    public const int MaxTextBytes = 400;

    /// <summary>What keys have behind the prefix at the least: a kind, and a hash or the key of a record.</summary>
    public const int MinTailBytes = 1 + SHA256.HashSizeInBytes;

    const byte TextKind = 1, HashKind = 2, QueueKind = 3, MarkKind = 4;

    readonly byte[] prefix;
    readonly int textLimitBytes;

    /// <param name="prefix">What all keys begin with.</param>
    /// <param name="maxKeyBytes">Longest key that the store takes: <see cref="MinTailBytes"/> behind the prefix, or more.</param>
    public CacheKeys(string prefix, int maxKeyBytes = KeyValueOptions.KeyLimitBytes)
    {
        this.prefix = Encoding.UTF8.GetBytes(prefix);
        textLimitBytes = Math.Min(MaxTextBytes, maxKeyBytes - this.prefix.Length - 1);
        Entries = KeyRange.Between([.. this.prefix, TextKind], [.. this.prefix, QueueKind]);
        Queue = KeyRange.Prefix([.. this.prefix, QueueKind]);
        EntriesAndQueue = KeyRange.Between([.. this.prefix, TextKind], [.. this.prefix, MarkKind]);
        QueueMark = [.. this.prefix, MarkKind];
    }

    public KeyRange Entries { get; }

    public KeyRange Queue { get; }

    /// <summary>All that a cache has but the mark.</summary>
    public KeyRange EntriesAndQueue { get; }

    public byte[] QueueMark { get; }

    public int PrefixBytes => prefix.Length;

    public ReadOnlySpan<byte> Prefix => prefix;

    /// <summary>Writes the key of an entry; gives its length.</summary>
    /// <param name="key">The key as the cache's user has it.</param>
    /// <param name="target">At least <see cref="MaxBytes"/>.</param>
    public int Write(string key, Span<byte> target)
    {
        prefix.CopyTo(target);
        var text = target.Slice(prefix.Length + 1, textLimitBytes);
        if (Utf8.FromUtf16(key, text, out _, out var written, replaceInvalidSequences: false) == OperationStatus.Done)
        {
            target[prefix.Length] = TextKind;
            return prefix.Length + 1 + written;
        }

        target[prefix.Length] = HashKind;
        return prefix.Length + 1 + SHA256.HashData(MemoryMarshal.AsBytes(key.AsSpan()), text);
    }

    /// <summary>Writes the beginning that all records of the queue have; gives its length.</summary>
    public int WriteQueuePrefix(Span<byte> target)
    {
        prefix.CopyTo(target);
        target[prefix.Length] = QueueKind;
        return prefix.Length + 1;
    }

    /// <summary>Whether every character has a form in UTF-8.</summary>
    public static bool IsText(string text)
    {
        var index = 0;
        while (index < text.Length)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(index), out _, out var length) != OperationStatus.Done) return false;
            index += length;
        }

        return true;
    }

    public static int LengthOf(string text) => Encoding.UTF8.GetByteCount(text);
}
