using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Who asks, as it was proved.</summary>
/// <param name="Customer">Whose files are meant.</param>
/// <param name="User">The user; empty for anybody.</param>
/// <param name="Rights">What the user may do.</param>
/// <param name="IsAnonymous">Whether it is anybody: then a policy decides.</param>
sealed record Caller(CustomerId Customer, string User, FileRights Rights, bool IsAnonymous)
{
    /// <summary>The key that was shown; empty for anybody.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>Anybody, of whom a bucket's policy has let through what is asked.</summary>
    public static Caller Anybody(CustomerId customer) => new(customer, "", FileRights.None, true);

    /// <summary>The customer, as answers name an owner.</summary>
    public string OwnerId => IdOf(Customer);

    public static string IdOf(CustomerId customer) => customer.Value.ToString("x16");
}
