using System.Collections.Concurrent;

namespace Ashlar.S3;

/// <summary>
/// Keys that sign, which hold for a day and a region each: they are made once, not for each request. By the secret alone, so a key that is
/// not known is found, or made, as one that is.
/// </summary>
sealed class SigningKeys
{
    // More than that are there when days or very many users go by, and then it begins anew.
    const int Most = 1000;

    readonly ConcurrentDictionary<(string Secret, string Date, string Region, string Service), SigningKey> made = new();

    public SigningKey Of(string secret, SignatureScope scope)
    {
        var name = (secret, scope.Date, scope.Region, scope.Service);
        if (made.TryGetValue(name, out var key)) return key;
        if (made.Count >= Most) made.Clear();
        return made.GetOrAdd(name, new SigningKey(secret, scope));
    }
}
