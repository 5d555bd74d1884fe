using System.Security.Cryptography;
using System.Text;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// Seals secrets for the disk (AES-256-GCM) by a key of the data directory, which its owner alone can read: a copy of the records without
/// the key tells nobody anything. What belongs to one record does not open as another's.
/// </summary>
/// <remarks>
/// Sealed: nonce (12 bytes), tag (16), ciphertext. Crash order: the key is durable before anything is sealed by it, and never changes.
/// </remarks>
sealed class SecretBox(IFileSystem fileSystem, string path, IEntropySource entropy)
{
    const int KeyBytes = 32;

    static readonly int NonceBytes = AesGcm.NonceByteSizes.MaxSize, TagBytes = AesGcm.TagByteSizes.MaxSize;

    byte[]? key;

    /// <summary>Seals a secret.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="owner">What it belongs to: it opens under that alone.</param>
    public byte[] Seal(string secret, string owner)
    {
        key ??= ReadKey() ?? MakeKey();
        var clear = Encoding.UTF8.GetBytes(secret);
        var sealedBytes = new byte[NonceBytes + TagBytes + clear.Length];
        var (nonce, tag) = (sealedBytes.AsMemory(0, NonceBytes), sealedBytes.AsMemory(NonceBytes, TagBytes));
        entropy.Fill(nonce.Span);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(nonce.Span, clear, sealedBytes.AsSpan(NonceBytes + TagBytes), tag.Span, Encoding.UTF8.GetBytes(owner));
        CryptographicOperations.ZeroMemory(clear);
        return sealedBytes;
    }

    /// <summary>Opens what was sealed.</summary>
    /// <exception cref="CorruptDataException">It was altered, is another's, or the key is not the one that it was sealed by.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedBytes, string owner)
    {
        key ??= ReadKey() ?? throw new CorruptDataException(path, 0, $"the key that secrets of {owner} are sealed by is not there");
        if (sealedBytes.Length < NonceBytes + TagBytes) throw NotOurs(owner);
        var clear = new byte[sealedBytes.Length - NonceBytes - TagBytes];
        try
        {
            using var cipher = new AesGcm(key, TagBytes);
            cipher.Decrypt(
                sealedBytes[..NonceBytes], sealedBytes[(NonceBytes + TagBytes)..], sealedBytes.Slice(NonceBytes, TagBytes), clear,
                Encoding.UTF8.GetBytes(owner));
            return clear;
        }
        catch (CryptographicException)
        {
            throw NotOurs(owner);
        }
    }

    CorruptDataException NotOurs(string owner) => new(path, 0, $"a secret of {owner} does not open by this key");

    byte[]? ReadKey()
    {
        if (!fileSystem.FileExists(path)) return null;
        using var file = fileSystem.Open(path, FileOpenMode.ReadOnly);
        var read = file.ReadWhole();
        return read.Length == KeyBytes ? read : throw new CorruptDataException(path, 0, $"a key of {read.Length} bytes, not {KeyBytes}");
    }

    byte[] MakeKey()
    {
        var made = new byte[KeyBytes];
        entropy.Fill(made);
        var fresh = path + ".new";
        using (var file = fileSystem.Open(fresh, FileOpenMode.OpenOrCreate))
        {
            file.SetLength(0); // One that died may have left something.
            file.Write(made, 0);
            file.Sync();
        }
        fileSystem.Rename(fresh, path);
        fileSystem.SyncDirectory(path[..path.LastIndexOf('/')]);
        return made;
    }
}
