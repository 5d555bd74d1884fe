using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.S3;
using Ashlar.Interop.Tests.Server;

namespace Ashlar.Interop.Tests.Files;

/// <summary>
/// What each key may have: what was answered last, or what was asked for since then and never answered. It never asks the server.
/// </summary>
sealed class FileLedger
{
    const string Nothing = "nothing";

    readonly ConcurrentDictionary<string, string[]> possible = new(StringComparer.Ordinal);

    public int Count => possible.Count(static one => one.Value is not [Nothing]);

    public static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content));

    /// <summary>Something is asked for: from now on the key may have it. Null is a deletion.</summary>
    public void Asked(string key, string? hash) =>
        possible.AddOrUpdate(key, [Nothing, hash ?? Nothing], (_, before) => [.. before, hash ?? Nothing]);

    /// <summary>It was answered: the key has it, and nothing else.</summary>
    public void Answered(string key, string? hash) => possible[key] = [hash ?? Nothing];

    /// <summary>Reads every key. What was found is the only possibility then.</summary>
    public async Task CheckAsync(AshlarProcess server)
    {
        using var client = FileWriters.Connect(server);
        foreach (var (key, allowed) in possible)
        {
            var parts = key.Split('/', 2);
            var found = Nothing;
            try
            {
                using var got = await client.GetObjectAsync(parts[0], parts[1]);
                var content = new MemoryStream();
                await got.ResponseStream.CopyToAsync(content);
                found = Hash(content.ToArray());
            }
            catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchKey" or "NoSuchBucket")
            {
                // It has nothing.
            }

            if (!allowed.Contains(found)) throw new FileLossException(key, found, allowed);
            possible[key] = [found];
        }
    }
}

sealed class FileLossException(string key, string found, string[] allowed)
    : Exception($"{key} has {found}, and may have {string.Join(" or ", allowed)}");
