//! Ranges of addresses.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of IP addresses, written `172.20.0.0/16`; also an address together with the range that it is in.
///
/// ```
/// use longshore_models::Subnet;
/// use std::net::Ipv4Addr;
///
/// let subnet: Subnet = "172.20.0.0/16".parse()?;
/// assert_eq!(subnet, Subnet::new(Ipv4Addr::new(172, 20, 0, 0), 16)?);
/// assert!(subnet.contains(Ipv4Addr::new(172, 20, 7, 7)));
/// # Ok::<(), longshore_models::ParseSubnetError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    address: IpAddr,
    prefix_length: u8,
}

impl Subnet {
    /// Makes a range of its address and the length of its prefix in bits.
    ///
    /// # Errors
    /// [`ParseSubnetError`] when the prefix is longer than the address.
    pub fn new(address: impl Into<IpAddr>, prefix_length: u8) -> Result<Self, ParseSubnetError> {
        let subnet = Self { address: address.into(), prefix_length };
        match prefix_length <= subnet.bits() {
            true => Ok(subnet),
            false => {
                Err(ParseSubnetError { text: subnet.to_string(), problem: "the prefix is longer than the address" })
            }
        }
    }

    /// The address before the slash.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits all addresses of the range have in common.
    pub fn prefix_length(&self) -> u8 {
        self.prefix_length
    }

    /// Tells whether an address is in the range.
    pub fn contains(&self, address: impl Into<IpAddr>) -> bool {
        let rest = u32::from(self.bits() - self.prefix_length);
        match (self.address, address.into()) {
            (IpAddr::V4(this), IpAddr::V4(other)) => {
                (this.to_bits() ^ other.to_bits()).checked_shr(rest).unwrap_or_default() == 0
            }
            (IpAddr::V6(this), IpAddr::V6(other)) => {
                (this.to_bits() ^ other.to_bits()).checked_shr(rest).unwrap_or_default() == 0
            }
            _ => false,
        }
    }

    fn bits(&self) -> u8 {
        match self.address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        }
    }
}

impl FromStr for Subnet {
    type Err = ParseSubnetError;

    /// Reads `172.20.0.0/16` or `fd00:1::/64`.
    fn from_str(text: &str) -> Result<Self, ParseSubnetError> {
        let error = |problem| ParseSubnetError { text: text.to_owned(), problem };
        let (address, length) = text.split_once('/').ok_or_else(|| error("there is no slash"))?;
        let address: IpAddr = address.parse().map_err(|_| error("before the slash is no IP address"))?;
        let digits = length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|_| digits);
        let length = length.ok_or_else(|| error("behind the slash is no number of bits"))?;
        Self::new(address, length)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_length)
    }
}

/// Tells why a text names no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSubnetError {
    text: String,
    problem: &'static str,
}

impl fmt::Display for ParseSubnetError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "invalid subnet `{}`: {}", self.text, self.problem)
    }
}

impl Error for ParseSubnetError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "fd00:1::/64", "::/0", "::1/128", "10.99.1.77/24"] {
            assert_eq!(text.parse::<Subnet>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("", "no slash"),
            ("10.0.0.0", "no slash"),
            ("/8", "no IP address"),
            ("10.0.0/8", "no IP address"),
            ("fe80::1%eth0/64", "no IP address"),
            ("10.0.0.0/", "no number"),
            ("10.0.0.0/+8", "no number"),
            ("10.0.0.0/8/8", "no number"),
            ("10.0.0.0/300", "no number"),
            ("10.0.0.0/33", "longer"),
            ("::/129", "longer"),
        ] {
            let error = text.parse::<Subnet>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("invalid subnet `{text}`: ")) && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_range_contains_its_addresses() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.7/24", "10.0.0.200", true),
            ("10.0.0.7/32", "10.0.0.7", true),
            ("10.0.0.7/32", "10.0.0.6", false),
            ("0.0.0.0/0", "255.1.2.3", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "ff::", true),
            ("fd00:1::/64", "fd00:1::ff", true),
            ("fd00:1::/64", "fd00:1:0:1::", false),
        ];
        for (subnet, address, inside) in cases {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(subnet.parse::<Subnet>().unwrap().contains(address), inside, "{subnet} {address}");
        }
    }
}
