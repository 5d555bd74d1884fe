namespace Ashlar.Nbd.Negotiation;

/// <summary>What haggling knows of TLS.</summary>
enum HagglingSecurity
{
    /// <summary>It is not spoken.</summary>
    Clear = 0,

    /// <summary>It may be begun.</summary>
    Offered,

    /// <summary>Nothing is told before it has begun.</summary>
    Required,

    /// <summary>It is spoken.</summary>
    Secured,
}
