namespace Ashlar.Planning;

/// <summary>Parts of a whole: "30%" or "0.3".</summary>
public static class Share
{
    /// <summary>Reads a share from 0 to <paramref name="most"/>.</summary>
    /// <exception cref="FormatException">It is none, or out of the limits; the message says why.</exception>
    public static decimal Parse(string text, decimal most, bool mayBeZero = true)
    {
        var number = Numeral.Read(text, "a share", "30%", out var unit);
        if (unit is not ("%" or "")) throw Numeral.Invalid(text, "a share", $"unknown unit '{unit}'; write 30% or 0.30");
        // "30" would be 3000 %, which nobody means.
        if (unit.Length == 0 && number > 1) throw Numeral.Invalid(text, "a share", $"write {text.Trim()}% or a number from 0 to 1");
        var share = unit == "%" ? number / 100 : number;
        if (share == 0 && !mayBeZero) throw Numeral.Invalid(text, "a share to plan with", "it is zero");
        return share <= most ? share : throw Numeral.Invalid(text, "a share to plan with", $"the most is {Format(most)}");
    }

    /// <summary>"30 %", "12.5 %".</summary>
    public static string Format(decimal share) => $"{Numeral.Format(decimal.Round(share * 100, 4))} %";
}
