using System.Text;
using Ashlar.Files;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// The first key of a file store, in a file that its owner alone may read: <c>ID:SECRET</c> and a line feed, as programs send it.
/// </summary>
static class FirstKey
{
    /// <summary>What it is called in the directory of the file store.</summary>
    public const string FileName = "key";

    const int MaxFileBytes = 4096;

    const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>
    /// Sees to it that there is a first customer with a user and a key, and that the file has the key. Called again it goes on where it
    /// was cut off.
    /// </summary>
    // Crash order: the file, durable as a whole; then customer, user and key, each found if it is there. So the key in the file is the one
    // that counts, and no second one is left by a crash.
    public static async Task CreateAsync(IFileSystem files, string directory, IMetadataStore metadata, IEntropySource entropy)
    {
        var (id, secret) = Read(files, directory) ?? Draw(files, directory, entropy);
        var customer = await metadata.FindCustomerAsync(FileStore.MainName)
            ?? await metadata.CreateCustomerAsync(FileStore.MainName, Quota.None);
        if (await metadata.FindUserAsync(customer.Id, FileStore.MainName) is null)
        {
            await metadata.CreateUserAsync(
                customer.Id, FileStore.MainName, FileRights.Read | FileRights.Write | FileRights.Administer);
        }

        if (await metadata.FindKeyAsync(id) is null)
            await metadata.CreateKeyAsync(customer.Id, FileStore.MainName, null, new GivenKey(id, secret));
    }

    static (string Id, string Secret)? Read(IFileSystem files, string directory)
    {
        var path = $"{directory}/{FileName}";
        if (!files.FileExists(path)) return null;
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        var bytes = new byte[MaxFileBytes];
        var text = Encoding.ASCII.GetString(bytes, 0, file.Read(bytes, 0));
        return text.TrimEnd('\n').Split(':') is [{ Length: > 0 } id, { Length: > 0 } secret]
            ? (id, secret)
            : throw new CorruptDataException(path, 0, "this is not a key: ID:SECRET");
    }

    static (string Id, string Secret) Draw(IFileSystem files, string directory, IEntropySource entropy)
    {
        var (id, secret) = (Draw(entropy, 20), Draw(entropy, 40));
        var path = $"{directory}/{FileName}";
        using (var file = files.Open($"{path}.new", FileOpenMode.OpenOrCreate)) // With mode 0600, as all files here.
        {
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes($"{id}:{secret}\n"), 0);
            file.Sync();
        }

        files.Rename($"{path}.new", path);
        files.SyncDirectory(directory);
        return (id, secret);
    }

    // Of 32 letters each takes five bits, so none is likelier than another.
    static string Draw(IEntropySource entropy, int length) =>
        string.Create(length, entropy, static (text, source) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = Alphabet[(int)(source.NextUInt64() >> 59)];
        });
}
